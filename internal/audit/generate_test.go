package audit

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// shuffleLines returns a CSV file with its rows in another order, always the same.
func shuffleLines(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	rows := lines[1:]
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
	return strings.Join(lines, "\n") + "\n"
}

// Generated files have 25 columns: 20 numbers, normal and lognormal by turns, 3 categories, a label
// and the score that a model gave it. They are the same for the same number of rows and seed.
const generatedNumbers = 20

var generatedCategories = [3]struct {
	name   string
	values []string
}{
	{"region", []string{"north", "east", "south", "west"}},
	{"channel", []string{"branch", "phone", "web", "partner", "post"}},
	{"product", strings.Split("a b c d e f g h i j k l m n o p q r s t u v w x y z", " ")},
}

// generated is a batch of rows.
type generated struct {
	rng     *rand.Rand
	numbers [generatedNumbers][]float64
	codes   [len(generatedCategories)][]int
	label   []bool
	score   []float64
}

func newGenerated(seed uint64, n int) *generated {
	g := &generated{rng: rand.New(rand.NewPCG(seed, 25)), label: make([]bool, n), score: make([]float64, n)}
	for i := range g.numbers {
		g.numbers[i] = make([]float64, n)
	}
	for i := range g.codes {
		g.codes[i] = make([]int, n)
	}
	return g
}

// next makes the next n rows.
func (g *generated) next(n int) {
	for row := range n {
		for i := range g.numbers {
			x := g.rng.NormFloat64()
			if i%2 == 1 {
				x = math.Exp(x)
			}
			g.numbers[i][row] = x
		}
		for i, c := range generatedCategories {
			k := len(c.values)
			g.codes[i][row] = min(g.rng.IntN(k), g.rng.IntN(k))
		}
		p := 1 / (1 + math.Exp(1-g.numbers[0][row]-0.5*g.numbers[1][row]))
		g.label[row] = g.rng.Float64() < p
		g.score[row] = 1 / (1 + math.Exp(1-g.numbers[0][row]-0.5*g.numbers[1][row]-0.3*g.rng.NormFloat64()))
	}
}

// generateFile writes a file of rows in the form that its name states, .parquet or .csv.
func generateFile(t testing.TB, path string, rows int, seed uint64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriterSize(f, 1<<20)
	if filepath.Ext(path) == ".csv" {
		err = generateCSV(out, rows, seed)
	} else {
		err = generateParquet(out, rows, seed)
	}
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func numberName(i int) string { return fmt.Sprintf("number_%02d", i) }

// generateParquet writes Parquet as pandas does: every column optional, snappy, categories in
// dictionaries.
func generateParquet(out io.Writer, rows int, seed uint64) error {
	group := parquet.Group{
		"label": parquet.Optional(parquet.Leaf(parquet.Int64Type)),
		"score": parquet.Optional(parquet.Leaf(parquet.DoubleType)),
	}
	for i := range generatedNumbers {
		group[numberName(i)] = parquet.Optional(parquet.Leaf(parquet.DoubleType))
	}
	for _, c := range generatedCategories {
		group[c.name] = parquet.Optional(parquet.Encoded(parquet.String(), &parquet.RLEDictionary))
	}
	schema := parquet.NewSchema("predictions", group)
	w := parquet.NewWriter(out, schema, parquet.Compression(&parquet.Snappy))
	columns := map[string]int{}
	for i, path := range schema.Columns() {
		columns[path[0]] = i
	}
	const batch = 1 << 14
	g, values := newGenerated(seed, batch), make([]parquet.Value, batch)
	for done := 0; done < rows; done += batch {
		n := min(batch, rows-done)
		g.next(n)
		write := func(name string, value func(row int) parquet.Value) error {
			at := columns[name]
			for row := range n {
				values[row] = value(row).Level(0, 1, at)
			}
			_, err := w.ColumnWriters()[at].WriteRowValues(values[:n])
			return err
		}
		for i := range g.numbers {
			if err := write(numberName(i), func(row int) parquet.Value { return parquet.DoubleValue(g.numbers[i][row]) }); err != nil {
				return err
			}
		}
		for i, c := range generatedCategories {
			if err := write(c.name, func(row int) parquet.Value { return parquet.ByteArrayValue([]byte(c.values[g.codes[i][row]])) }); err != nil {
				return err
			}
		}
		if err := write("label", func(row int) parquet.Value { return parquet.Int64Value(oneIf(g.label[row])) }); err != nil {
			return err
		}
		if err := write("score", func(row int) parquet.Value { return parquet.DoubleValue(g.score[row]) }); err != nil {
			return err
		}
		if (done/batch+1)%16 == 0 { // groups of 262,144 rows
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return w.Close()
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func generateCSV(out *bufio.Writer, rows int, seed uint64) error {
	for i := range generatedNumbers {
		fmt.Fprint(out, numberName(i), ",")
	}
	for _, c := range generatedCategories {
		fmt.Fprint(out, c.name, ",")
	}
	fmt.Fprintln(out, "label,score")
	g := newGenerated(seed, 1)
	var line []byte
	for range rows {
		g.next(1)
		line = line[:0]
		for i := range g.numbers {
			line = append(strconv.AppendFloat(line, g.numbers[i][0], 'f', 6, 64), ',')
		}
		for i, c := range generatedCategories {
			line = append(append(line, c.values[g.codes[i][0]]...), ',')
		}
		line = append(strconv.AppendInt(line, oneIf(g.label[0]), 10), ',')
		line = append(strconv.AppendFloat(line, g.score[0], 'f', 6, 64), '\n')
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return nil
}
