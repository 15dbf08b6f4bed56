package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// question is one kind of request.
type question struct {
	name  string
	limit time.Duration
	path  func(i int) string // of the i-th of them
}

func (q question) named(part string) bool { return strings.Contains(q.name, part) }

// content says what there is to ask for.
type content struct {
	models   int
	newest   uint64 // event
	event    string // id of one
	day      time.Time
	finding  string
	digest   string // of a version
	versions int
}

type object = map[string]any

// look finds out what there is to ask for.
func (c *client) look(ctx context.Context) (content, error) {
	all := content{versions: 10}
	list := func(path string) (object, error) {
		body, err := c.get(ctx, path)
		if err != nil {
			return nil, err
		}
		var page struct{ Items []object }
		if err := json.Unmarshal(body, &page); err != nil || len(page.Items) == 0 {
			return nil, fmt.Errorf("%s: nothing there: %w", path, err)
		}
		return page.Items[0], nil
	}
	for step := 65536; step > 0; step /= 2 { // the last model that there is
		if _, err := c.get(ctx, "/api/v1/models/"+modelName(all.models+step)); err == nil {
			all.models += step
		}
	}
	all.models++
	newest, err := list("/api/v1/events?newest=true&limit=1")
	if err != nil {
		return all, err
	}
	sequence, _ := newest["sequence"].(float64)
	all.newest = uint64(sequence)
	middle, err := list(fmt.Sprintf("/api/v1/events?limit=1&after=%d", all.newest/2))
	if err != nil {
		return all, err
	}
	all.event, _ = middle["id"].(string)
	at, _ := middle["time"].(string)
	if all.day, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return all, err
	}
	finding, err := list("/api/v1/findings?limit=1")
	if err != nil {
		return all, err
	}
	all.finding = firstText(finding, "id", "finding")
	version, err := list("/api/v1/models/m00000/versions?limit=1")
	if err != nil {
		return all, err
	}
	all.digest = firstText(version, "version_digest", "digest")
	return all, nil
}

func firstText(o object, names ...string) string {
	for _, name := range names {
		if s, ok := o[name].(string); ok {
			return s
		}
	}
	return ""
}

func modelName(i int) string { return fmt.Sprintf("m%05d", i) }

// questions are every list of the API and every page, as people would ask for them, and the filters by
// which they could be slow. {m} stands for a model, {v} for a version of it, {s} for an event, and {hot}
// for the model with the most events.
func questions(all content) []question {
	var list []question
	add := func(limit time.Duration, patterns ...string) {
		for _, pattern := range patterns {
			list = append(list, question{name: pattern, limit: limit, path: func(i int) string {
				model := i * 7919 % all.models
				return strings.NewReplacer(
					"{m}", modelName(model), "{hot}", modelName(0), "{v}", fmt.Sprint(1+i%all.versions), "{s}", fmt.Sprint(1+uint64(i)*7919%all.newest), "{place}", []string{"lab", "staging", "production"}[model%3],
					"{id}", all.event, "{finding}", all.finding, "{digest}", all.digest, "{middle}", fmt.Sprint(all.newest/2),
					"{moment}", all.day.Add(time.Duration(i)*time.Minute).UTC().Format(time.RFC3339), "{later}", all.day.Add(24*time.Hour).UTC().Format(time.RFC3339), "{day}", all.day.UTC().Format(time.DateOnly),
					"{step}", fmt.Sprintf("step-%07d", 2*(i*101%(20*all.models-200)/2+100)), "{actor}", fmt.Sprintf("usr_invented_%03d", i%200),
				).Replace(pattern)
			}})
		}
	}
	const api = "/api/v1"
	add(listLimit,
		api+"/models", api+"/models?after={m}", api+"/models?order=priority", api+"/models?order=priority&after={m}", api+"/models?tier=high&after={m}", api+"/models?state=experimental",
		api+"/models?owner={actor}", api+"/models?text=nowhere", api+"/models?text=team+13", api+"/models?label=team%3Dteam-13",
		api+"/models/{m}", api+"/models/{m}/status", api+"/models/{m}/versions", api+"/models/{m}/versions/{v}", api+"/models/{m}/versions/{v}/manifest", api+"/models/{m}/versions/{v}/data", api+"/models/{m}/evidence",
		api+"/versions?digest={digest}", api+"/models/{hot}/history", api+"/models/{hot}/history?newest=true&limit=250", api+"/models/{m}/history?newest=true", api+"/models/{hot}/history?type=model.registered", api+"/models/{hot}/history?type=assignment.recorded&newest=true",
		api+"/models/{hot}/history?outcome=denied", api+"/models/{hot}/history?actor={actor}&newest=true", api+"/models/{hot}/history?version=3&newest=true", api+"/models/{hot}/history?since={moment}",
		api+"/datasets", api+"/datasets/data-{m}", api+"/datasets/data-{m}/snapshots/1", api+"/snapshots?dataset=data-{m}",
		api+"/environments", api+"/environments/{place}/models/{m}", api+"/deployments", api+"/deployments?environment=production&now=true&limit=999", api+"/deployments?model={m}", api+"/deployments?at={moment}", api+"/deployments?environment=lab&at={moment}",
		api+"/assignments", api+"/assignments?environment=production&now=true&limit=999", api+"/assignments?model={m}", api+"/assignments?at={moment}", api+"/assignments?environment=lab&at={moment}&limit=999", api+"/assignments?model={m}&at={moment}",
		api+"/findings", api+"/findings?now=true&limit=999", api+"/findings?model={m}", api+"/findings?environment=production", api+"/findings/{finding}",
		api+"/events", api+"/events?newest=true&limit=250", api+"/events?after={s}", api+"/events/{s}", api+"/events/{id}", api+"/events?type=version.read&newest=true", api+"/events?type=model.retired",
		api+"/events?outcome=denied&newest=true", api+"/events?outcome=success&type=command.refused", api+"/events?outcome=denied&type=version.read", api+"/events?type=version.read&outcome=success&newest=true", api+"/events?actor={actor}&newest=true",
		api+"/events?actor={actor}&type=model.registered", api+"/events?actor={actor}&outcome=denied", api+"/events?actor={actor}&model={hot}", api+"/events?actor={actor}&model={m}&type=version.read&outcome=success", api+"/events?actor={actor}&model={hot}&type=model.registered", api+"/events?model={m}&type=version.read&outcome=success", api+"/events?model={hot}&type=model.registered&newest=true", api+"/events?model={m}&type=command.refused",
		api+"/events?resource=model/{hot}", api+"/events?resource=version&newest=true", api+"/events?resource=environment&newest=true", api+"/events?since={moment}", api+"/events?since={moment}&until={later}&newest=true", api+"/events?until={moment}&newest=true",
		api+"/events?since={moment}&type=version.read", api+"/events?since={moment}&model={hot}", api+"/events?since={moment}&until={later}&type=model.registered", api+"/events?until={moment}&type=version.read&newest=true", api+"/events?since={moment}&actor={actor}",
		api+"/self", api+"/users", api+"/tokens", api+"/openapi.json",
	)
	add(atLimit, api+"/models/{m}/at?from={moment}", api+"/models/{hot}/at?from={moment}")
	add(walkLimit,
		api+"/lineage/up?node="+url.QueryEscape("snapshot:")+"{step}", api+"/lineage/down?node="+url.QueryEscape("snapshot:")+"{step}", api+"/lineage/up?node=snapshot:{step}&limit=10000", api+"/lineage/up?node=snapshot:{step}&facts=true", api+"/lineage/down?node=snapshot:{step}&kinds=version")
	add(listLimit,
		"/", "/?sort=name", "/?sort=name&after={m}", "/?after={m}", "/?q=nowhere", "/?tier=high", "/?owner={actor}", "/models/{m}", "/models/{hot}", "/models/{m}/versions", "/models/{m}/versions/{v}", "/models/{m}/diff?from=2&to=3",
		"/models/{m}/history", "/models/{hot}/history", "/models/{hot}/history?type=model.registered", "/models/{hot}/history?outcome=denied", "/models/{hot}/history?at={day}",
		"/findings", "/findings?state=all", "/findings?model={m}", "/lineage", "/lineage?kind=version", "/lineage?kind=feature", "/trail", "/trail?before={s}", "/trail?type=model.registered", "/trail?model={hot}", "/trail?outcome=denied", "/trail?since={day}&until={day}", "/trail?since={day}&until={day}&type=model.registered",
		"/trail/{s}", "/trail/{s}/proof", "/trail/{s}/leaf")
	add(walkLimit, "/lineage?node=snapshot:{step}&way=up&depth=20", "/lineage?node=snapshot:{step}&way=down")
	return list
}
