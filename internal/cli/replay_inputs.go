package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/incident"
	"github.com/tallystick/tallystick/internal/prediction"
	"github.com/tallystick/tallystick/internal/replay"
)

// gather reads the predictions that were chosen, and writes those as requests whose inputs were kept.
func (f *replaying) gather(ctx context.Context, s *session, plan *replay.Plan, in *chosenInputs, brief *incident.Brief, bar *progress) error {
	var records []prediction.Record
	var err error
	if f.model != "" && f.ids == "" {
		records, err = f.list(ctx, s)
		in.asked.Chosen = int64(len(records))
	} else {
		var ids []string
		if ids, err = f.chosenIDs(brief); err == nil {
			records, err = f.read(ctx, s, in, ids, bar)
		}
	}
	if err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		if r.Model != in.model {
			return tallystick.Errorf(tallystick.Invalid, "prediction %s is of %s, not of %s", r.ID, r.Model, in.model)
		}
		if plan.Format == replay.Body {
			bar.show("reading bodies", int64(i), int64(len(records)))
			if err := readBody(ctx, s, r); err != nil {
				return err
			}
		}
		request, err := plan.Request(r)
		var lacks *replay.NotKept
		switch {
		case errors.As(err, &lacks):
			in.asked.NotKept++
			in.lacking[lacks.Why]++
		case err != nil:
			return fmt.Errorf("prediction %s: %w", r.ID, err)
		default:
			in.requests = append(in.requests, request)
		}
	}
	return nil
}

// list returns the predictions of a model, the newest first.
func (f *replaying) list(ctx context.Context, s *session) (records []prediction.Record, err error) {
	filter := predictionFilter{since: f.since, until: f.until, where: f.where}
	q, err := filter.values(f.model)
	if err != nil {
		return nil, err
	}
	q.Set("limit", fmt.Sprint(min(f.limit, 999)))
	found, err := client.List[api.ListedPrediction](ctx, s.Client, "/predictions", q, f.limit)
	for _, p := range found {
		var r prediction.Record
		if err := json.Unmarshal(p.Record, &r); err != nil {
			return nil, fmt.Errorf("read a prediction: %w", err)
		}
		records = append(records, r)
	}
	return records, err
}

// chosenIDs returns the ids of a file, or of the evidence of an incident, each once.
func (f *replaying) chosenIDs(brief *incident.Brief) (ids []string, err error) {
	if f.ids != "" {
		data, err := readFile(f.ids, 1<<20)
		if err != nil {
			return nil, err
		}
		ids = strings.Fields(string(data))
		if len(ids) > f.limit {
			return nil, tallystick.Errorf(tallystick.Invalid, "%s has %d ids, and --limit is %d", f.ids, len(ids), f.limit).WithHint("split the file, or raise --limit up to %d", replay.MaxRecords)
		}
		for n, id := range ids {
			if _, err := prediction.ParseID(id); err != nil {
				return nil, fmt.Errorf("%s: id %d: %w", f.ids, n+1, err)
			}
			if slices.Contains(ids[:n], id) {
				return nil, tallystick.Errorf(tallystick.Invalid, "%s: id %d, %s, is there twice", f.ids, n+1, id)
			}
		}
		return ids, nil
	}
	if brief == nil {
		return nil, nil
	}
	for _, sample := range brief.Samples {
		if len(ids) < f.limit && (len(f.which) == 0 || slices.Contains(f.which, sample.Why)) {
			ids = append(ids, sample.ID)
		}
	}
	return ids, nil
}

// read returns the predictions of ids, and counts those that are gone.
func (f *replaying) read(ctx context.Context, s *session, in *chosenInputs, ids []string, bar *progress) (records []prediction.Record, err error) {
	in.asked.Chosen = int64(len(ids))
	for n, id := range ids {
		bar.show("reading", int64(n), int64(len(ids)))
		var kept api.KeptPrediction
		err := s.Get(ctx, predictionPath(id), &kept)
		if tallystick.CodeOf(err) == tallystick.NotFound {
			in.asked.Gone++
			continue
		}
		if err != nil {
			return nil, err
		}
		var r prediction.Record
		if err := json.Unmarshal(kept.Record, &r); err != nil {
			return nil, fmt.Errorf("prediction %s: %w", id, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// readBody reads the body of a request if it was kept.
func readBody(ctx context.Context, s *session, r *prediction.Record) (err error) {
	if r.RequestBody == nil || r.BodyRule == "" || r.BodyRule == prediction.Dropped {
		return nil
	}
	from, err := s.Download(ctx, predictionPath(r.ID.String())+"/bodies/request")
	if err != nil {
		return err
	}
	r.RequestBody.Data, err = io.ReadAll(io.LimitReader(from, prediction.MaxBody+1))
	return errors.Join(err, from.Close())
}

// nothing says why there is nothing to send.
func (in *chosenInputs) nothing() error {
	if in.asked.Chosen == 0 {
		return tallystick.Errorf(tallystick.NotFound, "no predictions of %s were chosen", in.model).WithHint("the evidence of the incident may name none: choose some with --ids FILE, or with --model and --since")
	}
	fault := tallystick.Errorf(tallystick.NotFound, "of %d predictions no input can be sent: %s", in.asked.Chosen, in.whyNot())
	if in.asked.As == replay.Body {
		return fault.WithHint("`tallystick body rule define` keeps bodies of predictions to come; --as json, mlflow or v2 sends features")
	}
	return fault.WithHint("if bodies were kept, --as body sends them")
}

// whyNot says why inputs cannot be sent.
func (in *chosenInputs) whyNot() string {
	var all []string
	for why, n := range in.lacking {
		all = append(all, fmt.Sprintf("%s (%d)", why, n))
	}
	slices.Sort(all)
	if in.asked.Gone > 0 {
		all = append(all, fmt.Sprintf("erased or removed (%d)", in.asked.Gone))
	}
	return strings.Join(all, ", ")
}
