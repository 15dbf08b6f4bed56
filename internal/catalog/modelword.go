package catalog

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/state"
)

// The table model_words holds by what models are found. Looking for a text within a text would read all models.

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

// text lets through models of which name, summary and purpose have words that begin with those of the text.
func (w *where) text(text string) {
	words := wordsOf(text)
	w.add(len(words) == 0, "1 = 0") // nothing that a word could begin with
	for _, word := range words {
		w.add(true, "name IN (SELECT model FROM model_words WHERE word >= ? AND word < ?)", word, word+behindAll)
	}
}

// reword makes the words of a model those that it has now.
func reword(tx *state.Tx, model string, was, is map[string]bool) error {
	var fresh []any
	for word := range is {
		if !was[word] {
			fresh = append(fresh, word, model)
		}
	}
	for len(fresh) > 0 {
		n := 1
		for n < wordsAtOnce && 2*n < len(fresh) {
			n *= 2
		}
		row := fresh[:min(2*n, len(fresh))]
		fresh = fresh[len(row):]
		for len(row) < 2*n { // few lengths, so that the statements stay prepared
			row = append(row[:len(row):len(row)], row[0], model)
		}
		if _, err := tx.Exec("INSERT INTO model_words (word, model) VALUES "+pairs(n)+" ON CONFLICT (word, model) DO NOTHING", row...); err != nil {
			return err
		}
	}
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

// wordsAtOnce bounds the words of one statement.
const wordsAtOnce = 64
