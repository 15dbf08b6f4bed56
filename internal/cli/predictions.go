package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/access"
)

// dialRecording begins a session in which predictions can be recorded. The workspace of this machine takes them
// in while no server runs on it; end puts them into segments and ends the session.
func (a *app) dialRecording(ctx context.Context) (s *session, end func() error, err error) {
	if a.serverURL() != "" {
		s, err = a.dial(ctx, true)
		return s, func() error { return nil }, err
	}
	w, err := a.open(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	h := a.house(w)
	r, err := h.recording(ctx, slog.Default())
	if err != nil {
		return nil, nil, errors.Join(err, w.Close())
	}
	h.capture = r.Capture
	who := access.Local(w.Actor().ID)
	c, err := client.New(client.Config{
		Server: "http://localhost", Transport: client.Handler{Handler: a.api(h, &who, nil)}, UserAgent: "tallystick/" + tool().Version, Purpose: a.purpose,
	})
	end = func() error {
		cut := r.Cut(context.WithoutCancel(ctx)) // what is not cut now stays in the journal
		if cut == nil {
			cut = h.cases.Route(context.WithoutCancel(ctx))
		}
		_, sealed := w.Seal(context.WithoutCancel(ctx))
		return errors.Join(cut, r.journal.Close(), sealed, w.Close())
	}
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return &session{Client: c}, end, nil
}

// answeredBatch is what the API says of a batch.
type answeredBatch struct {
	IDs      []string           `json:"ids"`
	Rejected []client.Rejection `json:"rejected"`
	Repeated bool               `json:"repeated"`
}

// postBatch sends records as a batch. That none was taken is no error: each is rejected.
func postBatch(ctx context.Context, s *session, id string, records []json.RawMessage) (answer answeredBatch, err error) {
	body := struct {
		ID      string            `json:"batch_id,omitempty"`
		Records []json.RawMessage `json:"records"`
	}{id, records}
	_, err = s.Post(ctx, "/predictions", body, &answer)
	if refused := (*client.RejectedError)(nil); errors.As(err, &refused) {
		return answeredBatch{IDs: make([]string, len(records)), Rejected: refused.Rejected}, nil
	}
	return answer, err
}

// takenIn is what became of many predictions.
type takenIn struct {
	Taken    int           `json:"taken"`
	Repeated int           `json:"repeated,omitempty"` // of those, recorded before
	Rejected int           `json:"rejected"`
	IDs      []string      `json:"ids,omitempty"`
	Reasons  []rejectedRow `json:"reasons,omitempty"` // at most maxReasons
}

type rejectedRow struct {
	Row  int64           `json:"row"` // of the input, from 1
	Code tallystick.Code `json:"code"`
	Why  string          `json:"why"`
}

const maxReasons = 1000

// add adds the answer to a batch whose first record is in that row.
func (r *takenIn) add(answer answeredBatch, row int64) {
	n := len(answer.IDs) - len(answer.Rejected)
	r.Taken += n
	if answer.Repeated {
		r.Repeated += n
	}
	r.Rejected += len(answer.Rejected)
	for _, one := range answer.Rejected {
		if len(r.Reasons) < maxReasons {
			r.Reasons = append(r.Reasons, rejectedRow{row + int64(one.Index), one.Code, one.Message})
		}
	}
}

// printRecorded says what became of the predictions, and makes the exit code 1 if some were rejected.
func (a *app) printRecorded(r takenIn, format, unit string) error {
	if r.Rejected > 0 {
		a.code = exitRefused
	}
	if format == "json" {
		return a.printJSON(r)
	}
	return printColumns(a.Out, func(w io.Writer) {
		for _, one := range r.Reasons {
			fmt.Fprintf(w, "%s %d\trejected\t%s\n", unit, one.Row, one.Why)
		}
		if more := r.Rejected - len(r.Reasons); more > 0 {
			fmt.Fprintf(w, "and %d more\n", more)
		}
		again := ""
		if r.Repeated > 0 {
			again = fmt.Sprintf(", %d of them before", r.Repeated)
		}
		fmt.Fprintf(w, "predictions recorded: %d%s; rejected: %d\n", r.Taken, again, r.Rejected)
	})
}

// batchRows bounds the records of one batch, and batchBytes their JSON. Where one batch ends and the next begins
// follows from the input alone.
const (
	batchRows  = 500
	batchBytes = 2 << 20
)

func (a *app) predictionsRecord() *cobra.Command {
	var format, model, version, environment, batch string
	cmd := &cobra.Command{
		Use:   "record FILE|-",
		Short: "Record predictions from JSON: one, an array, or one on each line",
		Long: `Record sends the predictions in FILE, or on standard input, in batches and prints their ids. Each is an
object as docs/prediction.md has it; what the flags say holds for those that do not say it themselves.

A prediction that is not taken is told with its number, the others are kept. With --batch the same input can be
recorded again without harm.

Exit code: 0 all were recorded, 1 some were not, 2 wrong flags or input.`,
		Example: `  echo '{"features":{"income":52000},"score":0.31,"output":"grant"}' | tallystick predictions record - --model credit --version 3
  tallystick predictions record today.ndjson --model credit --environment production --batch 2026-03-03`,
		Args: cobra.ExactArgs(1),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&model, "model", "", "the model, for predictions that name none")
	flags.StringVar(&version, "version", "", "the version, likewise")
	flags.StringVar(&environment, "environment", "", "the environment, likewise; its champion is the version where there is none")
	flags.StringVar(&batch, "batch", "", "a `name` for this input, which makes it safe to record it again")
	flags.StringVar(&format, "format", "text", "text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if err := oneOf("--format", format, "text", "json"); err != nil {
			return err
		}
		in := a.In
		if args[0] != "-" {
			file, err := openFile(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			in = file
		}
		s, end, err := a.dialRecording(cmd.Context())
		if err != nil {
			return err
		}
		var total takenIn
		f := &filler{model, version, environment}
		send := func(n int64, records []json.RawMessage, row int64) error {
			id := ""
			if batch != "" {
				id = fmt.Sprintf("%s#%d", batch, n)
			}
			answer, err := postBatch(cmd.Context(), s, id, records)
			if err != nil {
				return err
			}
			total.add(answer, row)
			total.IDs = append(total.IDs, answer.IDs...)
			return nil
		}
		err = f.each(in, send)
		if err = errors.Join(err, end()); err != nil {
			if total.Taken > 0 {
				fmt.Fprintf(a.Err, "%d predictions were recorded before this:\n", total.Taken)
			}
			return err
		}
		if format == "text" {
			for _, id := range total.IDs {
				if id != "" {
					fmt.Fprintln(a.Out, id)
				}
			}
		}
		return a.printRecorded(total, format, "prediction")
	}
	return cmd
}

// filler fills in what predictions do not say themselves.
type filler struct{ model, version, environment string }

// each calls send with batches of the records on r: objects one after the other, or in an array. n counts the
// batches, and row is the number of the first record of each, from 1.
func (f *filler) each(r io.Reader, send func(n int64, records []json.RawMessage, row int64) error) error {
	d := json.NewDecoder(r)
	var batch []json.RawMessage
	size, n, row, count := 0, int64(0), int64(1), int64(0)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := send(n, batch, row)
		n, row, size, batch = n+1, row+int64(len(batch)), 0, batch[:0]
		return err
	}
	add := func(record json.RawMessage) error {
		count++
		filled, err := f.fill(record)
		if err != nil {
			return tallystick.Errorf(tallystick.Invalid, "prediction %d: %w", count, err)
		}
		if size += len(filled); len(batch) > 0 && (len(batch) == batchRows || size > batchBytes) {
			if err := flush(); err != nil {
				return err
			}
			size = len(filled)
		}
		batch = append(batch, filled)
		return nil
	}
	for {
		var value json.RawMessage
		err := d.Decode(&value)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return tallystick.Errorf(tallystick.Invalid, "prediction %d is not JSON: %w", count+1, err).WithHint("write an object on each line, or an array of objects")
		}
		if value[0] != '[' {
			if err := add(value); err != nil {
				return err
			}
			continue
		}
		var all []json.RawMessage
		if err := json.Unmarshal(value, &all); err != nil {
			return tallystick.Errorf(tallystick.Invalid, "%w", err)
		}
		for _, record := range all {
			if err := add(record); err != nil {
				return err
			}
		}
	}
	if count == 0 {
		return tallystick.Errorf(tallystick.Invalid, "there is no prediction in the input")
	}
	return flush()
}

// fill adds to an object what it does not have.
func (f *filler) fill(record json.RawMessage) (json.RawMessage, error) {
	var has map[string]json.RawMessage
	if json.Unmarshal(record, &has) != nil || has == nil {
		return nil, errors.New("it is no object")
	}
	var out bytes.Buffer
	out.WriteByte('{')
	for _, field := range [][2]string{{"model", f.model}, {"version", f.version}, {"environment", f.environment}} {
		if _, said := has[field[0]]; !said && field[1] != "" {
			text, err := json.Marshal(field[1])
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&out, "%q:%s,", field[0], text)
		}
	}
	rest := bytes.TrimLeft(record[1:], " \t\r\n")
	if strings.HasPrefix(string(rest), "}") && out.Len() > 1 {
		out.Truncate(out.Len() - 1) // the comma
	}
	out.Write(rest)
	return out.Bytes(), nil
}

func rejection(index int, code tallystick.Code, message string) client.Rejection {
	return client.Rejection{Index: index, Code: code, Message: message}
}
