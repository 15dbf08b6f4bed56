package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/state"
)

// The table model_words holds by what models are found. Looking for a text within a text would read all models.
// Like the columns of events it is written by whoever asks, and not by who registers a model: each word has a
// place of its own in the table, so that ten words cost as much as ten models.

// maxWord bounds a word of the table in bytes; of a longer one the beginning stands there.
const maxWord = 64

// words returns by what m is found, each once.
func (m Model) words() map[string]bool {
	words := map[string]bool{}
	for _, text := range []string{m.Name, m.Summary, m.Purpose} {
		for _, word := range wordsOf(text) {
			words[word] = true
		}
	}
	for name, value := range m.Labels {
		words[labelWord(name, value)] = true
	}
	return words
}

// wordsOf returns the runs of letters and digits in a text, in small letters.
func wordsOf(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) })
	for i, word := range words {
		if len(word) > maxWord {
			end := maxWord
			for !utf8.RuneStart(word[end]) {
				end--
			}
			words[i] = word[:end]
		}
	}
	return words
}

// labelWord is the word of a label. No text has it: it begins with what is no letter.
func labelWord(name, value string) string { return "=" + strings.ToLower(name+"="+value) }

// behindAll comes after whatever a word goes on with.
const behindAll = "\U0010FFFF"

// sought is a word by which models are looked for: a condition on those of the table.
type sought struct {
	condition string
	args      []any
}

// soughtIn returns what a model has to have whose words begin with those of the text; nothing if it has none.
func soughtIn(text string) (all []sought) {
	words := wordsOf(text)
	slices.Sort(words)
	for i, word := range words {
		if i+1 == len(words) || !strings.HasPrefix(words[i+1], word) { // what begins with that begins with this
			all = append(all, sought{"word >= ? AND word < ?", []any{word, word + behindAll}})
		}
	}
	return all
}

// commonWord is how many models have a word that is better looked up for one model after the other than the
// models by it: a page is full before long.
const commonWord = 500

// words lets through models that have all the words. The rarest leads to the models, unless even that is common,
// and the others are looked up for each of those: to list all that have a common word takes longer than a page.
func (w *where) words(tx *state.Tx, all []sought, common int) error {
	rarest, fewest := -1, common
	for i, s := range all {
		var have int
		err := tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM model_words WHERE "+s.condition+" "+state.Limit+") found", append(slices.Clone(s.args), fewest)...).Scan(&have)
		if err != nil {
			return fmt.Errorf("count the models with a word: %w", err)
		}
		if have < fewest {
			rarest, fewest = i, have
		}
	}
	for i, s := range all {
		if i == rarest {
			w.add(true, "name IN (SELECT model FROM model_words WHERE "+s.condition+")", s.args...)
		} else {
			w.add(true, "EXISTS (SELECT 1 FROM model_words WHERE model = name AND "+s.condition+")", s.args...)
		}
	}
	return nil
}

// unword takes away the words that a model no longer has.
func unword(tx *state.Tx, model string, was, is map[string]bool) error {
	for word := range was {
		if is[word] {
			continue
		}
		if _, err := tx.Exec("DELETE FROM model_words WHERE word = ? AND model = ?", word, model); err != nil {
			return err
		}
	}
	return nil
}

// The bounds of a transaction that writes words, and of a statement.
const (
	wordBatch   = 256 // models
	wordsAtOnce = 64
)

const wordless = "event > (SELECT coalesce(max(event), 0) FROM model_words_until)"

// prepareWords writes the words of the models that were registered or changed before the call, unless somebody
// has done it.
func (c *Catalog) prepareWords(ctx context.Context) error {
	for {
		var behind bool
		err := c.db.Read(ctx, func(tx *state.Tx) error {
			return tx.QueryRow("SELECT EXISTS (SELECT 1 FROM models WHERE " + wordless + ")").Scan(&behind)
		})
		if err == nil && behind {
			err = c.db.Write(ctx, addWords)
		}
		if err != nil {
			return fmt.Errorf("write the words of models: %w", err)
		}
		if !behind {
			return nil
		}
	}
}

func addWords(tx *state.Tx) error {
	models, err := state.Collect(tx, scanModel, "SELECT "+modelColumns+" FROM models WHERE "+wordless+" ORDER BY event "+state.Limit, wordBatch)
	if err != nil || len(models) == 0 {
		return err
	}
	var fresh [][2]string
	for _, m := range models {
		for word := range m.words() {
			fresh = append(fresh, [2]string{word, m.Name})
		}
	}
	slices.SortFunc(fresh, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) // a page after the other
	for some := range slices.Chunk(fresh, wordsAtOnce) {
		var row []any
		for _, pair := range some {
			row = append(row, pair[0], pair[1])
		}
		if _, err := tx.Exec("INSERT INTO model_words (word, model) VALUES "+pairs(len(some))+" ON CONFLICT (word, model) DO NOTHING", row...); err != nil {
			return err
		}
	}
	_, err = tx.Exec("INSERT INTO model_words_until (one, event) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET event = excluded.event", models[len(models)-1].Event)
	return err
}
