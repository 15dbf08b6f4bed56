package cli

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/table"
)

// importFlags say which column is which field.
type importFlags struct {
	model, version, environment, at string
	columns                         []string
	skip                            []string
}

func (a *app) predictionsImport() *cobra.Command {
	f := &importFlags{}
	var format string
	cmd := &cobra.Command{
		Use:   "import FILE.csv|FILE.parquet...",
		Short: "Record predictions that were made before, from CSV or Parquet",
		Long: `Import records a prediction for each row of FILE (several of one schema count as one). --map says which column
is which field; the others become features, except those that --skip names.

The ids of the predictions and of the batches follow from the digest of the data and the row, so an import that was
broken off is run again, and what was recorded within the last 72 hours is not recorded twice. Each needs a time:
a column, or --time for all.

Fields: ` + strings.Join(importFields(), ", ") + `.

Exit code: 0 all were recorded, 1 some rows were not, 2 wrong flags or input.`,
		Example: `  tallystick predictions import scored.parquet --model credit --version 3 --map time=scored_at,score=prob,output=decision,subject=customer
  tallystick predictions import old.csv --model credit --version 1 --time 2025-12-31T00:00:00Z --map score=p --skip note`,
		Args: cobra.MinimumNArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.model, "model", "", "the model that made the predictions")
	flags.StringVar(&f.version, "version", "", "its version, unless a column says it")
	flags.StringVar(&f.environment, "environment", "", "where it ran, unless a column says it")
	flags.StringVar(&f.at, "time", "", "when the predictions were made, if no column says it, a `time` as 2026-01-31T12:00:00Z")
	flags.StringSliceVar(&f.columns, "map", nil, "`FIELD=COLUMN`: which column is which field")
	flags.StringSliceVar(&f.skip, "skip", nil, "`columns` that are not recorded")
	flags.StringVar(&format, "format", "text", "text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := oneOf("--format", format, "text", "json"); err != nil {
			return err
		}
		total, err := a.runImport(cmd.Context(), f, args)
		if err != nil {
			if total.Taken > 0 {
				fmt.Fprintf(a.Err, "%d predictions were recorded before this; run the same command again to go on:\n", total.Taken)
			}
			return err
		}
		return a.printRecorded(total, format, "row")
	}
	return cmd
}

// textFields are the fields of a record that a column of text becomes.
func textFields() map[string]func(*prediction.Record) *string {
	fields := prediction.TextFields()
	fields["request_type"] = func(r *prediction.Record) *string { return &bodyOf(&r.RequestBody).Type }
	fields["response_type"] = func(r *prediction.Record) *string { return &bodyOf(&r.ResponseBody).Type }
	return fields
}

// bodyFields are the fields of bodies, which are taken as the text of a column.
func bodyFields() map[string]func(*prediction.Record) **prediction.Body {
	return map[string]func(*prediction.Record) **prediction.Body{
		"request_body":  func(r *prediction.Record) **prediction.Body { return &r.RequestBody },
		"response_body": func(r *prediction.Record) **prediction.Body { return &r.ResponseBody },
	}
}

// bodyOf returns a body to be filled in.
func bodyOf(b **prediction.Body) *prediction.Body {
	if *b == nil {
		*b = &prediction.Body{}
	}
	return *b
}

func importFields() []string {
	return slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Keys(textFields())), slices.Collect(maps.Keys(prediction.ValueFields())), slices.Collect(maps.Keys(bodyFields())), []string{"time"})))
}

// importer makes records of the rows of a table.
type importer struct {
	flags   *importFlags
	table   *table.Table
	at      prediction.Time // of all; zero if a column says it
	digest  tallystick.Digest
	columns []table.Column // that are read
	names   []string       // of these
	fields  []string       // what each is: a field, or empty for a feature

	texts  map[string]func(*prediction.Record) *string
	values map[string]func(*prediction.Record) *prediction.Value
	bodies map[string]func(*prediction.Record) **prediction.Body
}

func (f *importFlags) open(ctx context.Context, paths []string, p *progress) (_ *importer, err error) {
	if f.model == "" {
		return nil, tallystick.Errorf(tallystick.Invalid, "--model is missing").WithHint("name the model that made the predictions")
	}
	columns, err := pairs("--map", f.columns)
	if err != nil {
		return nil, err
	}
	i := &importer{flags: f, texts: textFields(), values: prediction.ValueFields(), bodies: bodyFields()}
	fields := map[string]string{} // by column
	var texts []string
	for field, column := range columns {
		if !slices.Contains(importFields(), field) {
			return nil, tallystick.Errorf(tallystick.Invalid, "--map: %q is no field", field).WithHint("fields are %s", strings.Join(importFields(), ", "))
		}
		if other, twice := fields[column]; twice {
			return nil, tallystick.Errorf(tallystick.Invalid, "--map: the column %s is both %s and %s", column, min(field, other), max(field, other))
		}
		fields[column] = field
		if i.texts[field] != nil || i.bodies[field] != nil {
			texts = append(texts, column)
		}
	}
	switch _, mapped := columns["time"]; {
	case mapped == (f.at != ""):
		return nil, tallystick.Errorf(tallystick.Invalid, "the predictions need a time, from one place").WithHint("give --map time=COLUMN or --time")
	case !mapped:
		if err := i.at.UnmarshalText([]byte(f.at)); err != nil {
			return nil, fmt.Errorf("--time: %w", err)
		}
	}
	slices.Sort(texts)
	if i.table, err = table.Open(ctx, paths, table.Options{Text: texts, Exact: true, Progress: func(done, total int64) { p.show("reading", done, total) }}); err != nil {
		return nil, err
	}
	if err := i.choose(fields); err != nil {
		return nil, errors.Join(err, i.table.Close())
	}
	return i, nil
}

// choose settles which columns are read, and from what the ids follow.
func (i *importer) choose(fields map[string]string) error {
	for _, named := range slices.Concat(slices.Sorted(maps.Keys(fields)), i.flags.skip) {
		if _, err := i.table.Column(named); err != nil {
			return err
		}
	}
	said := sha256.New()
	fmt.Fprintf(said, "%s\n%q %q %q %d\n", i.table.Digest(), i.flags.model, i.flags.version, i.flags.environment, i.at)
	for _, c := range i.table.Columns() {
		if slices.Contains(i.flags.skip, c.Name) {
			continue
		}
		field := fields[c.Name]
		if c.Fault != "" {
			return tallystick.Errorf(tallystick.Invalid, "the column %s cannot be read: %s", c.Name, c.Fault).WithHint("leave it out with --skip %s", c.Name)
		}
		if field == "time" && c.Kind != table.Time && c.Was != table.Time {
			return tallystick.Errorf(tallystick.Invalid, "the column %s is of the type %s, not a time", c.Name, c.Physical).WithHint("write times as 2026-01-31T12:00:00Z, or give --time")
		}
		i.columns, i.names, i.fields = append(i.columns, c), append(i.names, c.Name), append(i.fields, field)
		fmt.Fprintf(said, "%q %q\n", c.Name, field)
	}
	if len(i.names) == 0 {
		return tallystick.Errorf(tallystick.Invalid, "--skip leaves no column")
	}
	i.digest = tallystick.DigestOf(said.Sum(nil))
	return nil
}

// value returns value n of a column.
func (i *importer) value(column int, v *table.Vector, n int) prediction.Value {
	if v.Null != nil && v.Null[n] {
		return prediction.Value{}
	}
	switch c := &i.columns[column]; {
	case c.Was == table.Number:
		return digits(v.Bytes(n))
	case c.Physical == "boolean" && c.Kind == table.Category && v.Code[n] != table.NoCode:
		return prediction.Boolean(i.table.Dictionary(c.Name)[v.Code[n]] == "true")
	}
	switch v.Kind {
	case table.Number:
		return prediction.Number(v.Float[n])
	case table.Category:
		if v.Code[n] == table.NoCode {
			return prediction.Value{}
		}
		return prediction.String(i.table.Dictionary(i.names[column])[v.Code[n]])
	case table.Time:
		if v.Time[n] == table.NoTime {
			return prediction.Value{}
		}
		return prediction.String(time.Unix(0, v.Time[n]).UTC().Format(time.RFC3339Nano))
	}
	return prediction.String(v.Text(n))
}

// digits reads an integer with all its digits. Of those that do not fit 64 bits the nearest number is taken, as the
// record has it. What is none is one of the words by which CSV says that a value is missing.
func digits(text []byte) prediction.Value {
	said := strings.TrimSpace(string(text))
	if whole, err := strconv.ParseInt(said, 10, 64); err == nil {
		return prediction.Integer(whole)
	}
	if float, err := strconv.ParseFloat(said, 64); err == nil {
		return prediction.Number(float)
	}
	return prediction.Value{}
}

// record makes the record of row n of a block.
func (i *importer) record(b *table.Block, n int) prediction.Record {
	r := prediction.Record{Model: i.flags.model, Version: i.flags.version, Environment: i.flags.environment, Time: i.at}
	features := make(map[string]prediction.Value, len(i.fields))
	for column, field := range i.fields {
		v := i.value(column, &b.Cols[column], n)
		switch {
		case field == "":
			features[i.names[column]] = v
		case field == "time" && v.IsNull():
		case field == "time" && i.columns[column].Was == table.Time:
			if at, err := time.Parse(time.RFC3339Nano, v.String()); err == nil {
				r.Time = prediction.TimeOf(at)
			}
		case field == "time":
			r.Time = prediction.TimeOf(time.Unix(0, b.Cols[column].Time[n]))
		case i.values[field] != nil:
			*i.values[field](&r) = v
		case v.IsNull():
		case i.bodies[field] != nil:
			bodyOf(i.bodies[field](&r)).Data = []byte(v.String())
		default:
			*i.texts[field](&r) = v.String()
		}
	}
	for _, of := range i.bodies { // a type without a body is none
		if b := of(&r); *b != nil && (*b).Data == nil {
			*b = nil
		}
	}
	r.Features = prediction.NewFeatures(features)
	r.ID = i.id(b.Row+int64(n), r.Time)
	return r
}

// id returns the id of a row: the milliseconds of its time, and 74 bits that follow from the data and the row.
func (i *importer) id(row int64, at prediction.Time) (id prediction.ID) {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(i.digest), uint64(row)))
	copy(id[:], sum[:])
	ms := uint64(max(0, at.Time().UnixMilli()))
	for b := range 6 {
		id[b] = byte(ms >> (40 - 8*b))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// runImport sends the rows in batches.
func (a *app) runImport(ctx context.Context, f *importFlags, paths []string) (total takenIn, err error) {
	progress := a.progress()
	defer progress.done()
	i, err := f.open(ctx, paths, progress)
	if err != nil {
		return total, err
	}
	defer func() { err = errors.Join(err, i.table.Close()) }()
	a.warn(i.table)
	s, end, err := a.dialRecording(ctx)
	if err != nil {
		return total, err
	}
	var batch []json.RawMessage
	var size int
	var first int64 // row of the batch, from 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		name := sha256.Sum256(fmt.Appendf(nil, "%s %d", i.digest, first))
		answer, err := postBatch(ctx, s, "import-"+hex.EncodeToString(name[:16]), batch)
		if tallystick.CodeOf(err) == tallystick.Conflict {
			answer, err = refusedAll(batch, err), nil
		}
		if err != nil {
			return err
		}
		total.add(answer, first+1)
		first, size, batch = first+int64(len(batch)), 0, batch[:0]
		progress.show("recording", first, i.table.Rows())
		return nil
	}
	err = i.table.Scan(ctx, i.names, func(b *table.Block) error {
		for n := range b.N {
			r := i.record(b, n)
			if r.Time.IsZero() { // or the server would give it that of the import
				if err := flush(); err != nil {
					return err
				}
				no := rejection(0, tallystick.Invalid, "it has no time, and --map says that a column has it")
				total.add(answeredBatch{IDs: make([]string, 1), Rejected: []client.Rejection{no}}, first+1)
				first++
				continue
			}
			text := r.AppendSent(nil)
			if size += len(text); len(batch) > 0 && (len(batch) == batchRows || size > batchBytes) {
				if err := flush(); err != nil {
					return err
				}
				size = len(text)
			}
			batch = append(batch, text)
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return total, errors.Join(err, end())
}

// refusedAll rejects each record of a batch for one cause.
func refusedAll(batch []json.RawMessage, cause error) answeredBatch {
	message, _ := tallystick.Words(cause)
	answer := answeredBatch{IDs: make([]string, len(batch))}
	for n := range batch {
		answer.Rejected = append(answer.Rejected, rejection(n, tallystick.CodeOf(cause), message))
	}
	return answer
}
