package catalog

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/profile"
)

// dataSets compares what the versions rest on: first which snapshots, then what moved in them.
func (d *differ) dataSets() error {
	a, b := d.a, d.b
	if d.lacks("data", len(a.data)+len(a.loose) > 0, len(b.data)+len(b.loose) > 0) {
		return nil
	}
	d.sameData = true
	for _, p := range places(a.data, b.data) {
		if err := d.dataSet(p, p.of(a.data), p.of(b.data)); err != nil {
			return err
		}
	}
	onlyA, onlyB := without(a.loose, b.loose), without(b.loose, a.loose)
	for i := range max(len(onlyA), len(onlyB)) {
		from, to := at(onlyA, i), at(onlyB, i)
		d.sameData = false
		switch {
		case from == "":
			d.line(weighsData, DataArea, "", "", string(to), "it rests on data of digest %s as well", to.Short())
		case to == "":
			d.line(weighsData, DataArea, "", string(from), "", "it rests on data of digest %s no more", from.Short())
		default:
			d.line(weighsData, DataArea, "", string(from), string(to), "it rests on data of digest %s, was %s", to.Short(), from.Short())
		}
	}
	if len(a.loose)+len(b.loose) > 0 {
		d.Open = append(d.Open, "columns of data that are no registered snapshot")
	}
	return nil
}

// place is a data set in a role.
type place struct {
	role    DataRole
	dataset string
}

// places returns those of both sides in a fixed order, training first.
func places(lists ...[]linked) []place {
	var all []place
	for _, l := range slices.Concat(lists...) {
		all = append(all, place{l.role, l.snapshot.Dataset})
	}
	rank := map[DataRole]int{TrainingData: 0, ValidationData: 1, TestData: 2, ReferenceData: 3}
	slices.SortFunc(all, func(x, y place) int {
		return cmp.Or(cmp.Compare(rank[x.role], rank[y.role]), cmp.Compare(x.dataset, y.dataset))
	})
	return slices.Compact(all)
}

func (p place) of(list []linked) (there []linked) {
	for _, l := range list {
		if l.role == p.role && l.snapshot.Dataset == p.dataset {
			there = append(there, l)
		}
	}
	return there
}

// dataSet compares the snapshots of a data set in a role. Those with one digest are the same, whatever
// their names.
func (d *differ) dataSet(p place, a, b []linked) error {
	onlyA := slices.DeleteFunc(slices.Clone(a), func(l linked) bool { return has(b, l) })
	onlyB := slices.DeleteFunc(slices.Clone(b), func(l linked) bool { return has(a, l) })
	if len(onlyA)+len(onlyB) == 0 {
		return nil
	}
	d.sameData = false
	name := fmt.Sprintf("%s data %s", p.role, p.dataset)
	if len(onlyA) == 1 && len(onlyB) == 1 {
		from, to := onlyA[0].snapshot, onlyB[0].snapshot
		d.line(weighsData, DataArea, p.dataset, string(from.Digest), string(to.Digest), "%s is snapshot %s (%d rows), was %s (%d rows)", name, to.Name, to.Rows, from.Name, from.Rows)
		return d.columns(p.dataset, from, to)
	}
	for _, l := range onlyA {
		d.line(weighsData, DataArea, p.dataset, string(l.snapshot.Digest), "", "%s does without snapshot %s (%d rows)", name, l.snapshot.Name, l.snapshot.Rows)
	}
	for _, l := range onlyB {
		d.line(weighsData, DataArea, p.dataset, "", string(l.snapshot.Digest), "%s has snapshot %s (%d rows) as well", name, l.snapshot.Name, l.snapshot.Rows)
	}
	if len(onlyA) > 0 && len(onlyB) > 0 {
		d.Open = append(d.Open, fmt.Sprintf("columns of %s: several snapshots differ, and none is the successor of another", name))
	}
	return nil
}

func has(list []linked, l linked) bool {
	return slices.ContainsFunc(list, func(m linked) bool { return m.snapshot.Digest == l.snapshot.Digest })
}

// maxCompared bounds the pairs of profiles of one comparison, each of some megabytes.
const maxCompared = 20

// columns compares the profiles.
func (d *differ) columns(dataset string, from, to Snapshot) error {
	if d.compared++; d.compared > maxCompared {
		d.Open = append(d.Open, fmt.Sprintf("columns of %s: more than %d data sets differ", dataset, maxCompared))
		return nil
	}
	var profiles [2]profile.Profile
	for i, s := range []Snapshot{from, to} {
		body, err := document(d.tx, "profile", s, s.ProfileDigest)
		switch {
		case tallystick.CodeOf(err) == tallystick.NotFound:
			d.Open = append(d.Open, fmt.Sprintf("columns of %s: snapshot %s has no profile", dataset, s.Name))
			return nil
		case err != nil:
			return err
		}
		if profiles[i], err = profile.Parse(body); err != nil {
			return fmt.Errorf("profile of snapshot %s@%s: %w", dataset, s.Name, err)
		}
	}
	compared := profile.Compare(profiles[0], profiles[1])
	for i, m := range compared.Moves {
		if i == maxLines {
			break
		}
		weight := weighsColumn - 1
		if m.Strong {
			weight = weighsColumn
		}
		d.line(weight, ColumnArea, m.Column, "", "", "%s", m.Text)
	}
	d.beyond(len(compared.Moves), "columns of "+dataset)
	for _, open := range compared.Open[:min(len(compared.Open), maxLines)] {
		d.Open = append(d.Open, dataset+": "+open)
	}
	return nil
}

func without(list, others []tallystick.Digest) []tallystick.Digest {
	return slices.DeleteFunc(slices.Clone(list), func(x tallystick.Digest) bool { return slices.Contains(others, x) })
}

func at(list []tallystick.Digest, i int) tallystick.Digest {
	if i < len(list) {
		return list[i]
	}
	return ""
}
