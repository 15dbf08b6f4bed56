package verify

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
)

// checkEvents checks every event of a package: its form, its place in the ledger, and what of it is
// disclosed; and that they are as many as the index says.
func (v *packageVerifier) checkEvents() error {
	v.recorded, v.admitted = v.wanted(), map[string]Key{}
	proof := MultiProof{Size: v.checkpoint.Size}
	count := Count{Months: []MonthCount{}}
	exported := false
	var last uint64 // sequence
	for _, name := range v.filesIn("events") {
		leaves, openings, err := v.chunk(name)
		if err != nil {
			return &namedError{"events", name, err}
		}
		for i, leaf := range leaves {
			event, err := DecodeEvent(leaf)
			if err == nil {
				err = v.place(event, &proof, leaf)
			}
			if err == nil && openings != nil {
				err = v.open(event, openings[i])
			}
			if err != nil {
				return &namedError{"events", fmt.Sprintf("%s line %d", name, i+1), err}
			}
			if err := v.follows(event, last); err != nil {
				return &namedError{"completeness", name, err}
			}
			last = event.Sequence
			exported = exported || event.Sequence == v.index.Export && strings.HasPrefix(event.Type, exportType)
			v.count(&count, event)
			v.learn(event, proof.Leaves[len(proof.Leaves)-1].Index)
		}
	}
	if len(proof.Leaves) == 0 {
		return &namedError{"events", "events", errors.New("there are none")}
	}
	if err := v.prove(&proof); err != nil {
		return &namedError{"inclusion", PackageProofFile, err}
	}
	if want := v.index.Events; count.About != want.About || count.Context != want.Context || !slices.Equal(count.Months, want.Months) {
		return &namedError{"events", "events", fmt.Errorf("there are %d about %s and %d others; the index says %d and %d", count.About, v.index.Name(), count.Context, want.About, want.Context)}
	}
	if !exported {
		return &namedError{"export", "events", fmt.Errorf("the event %d, which is to record the export, is not here or is another", v.index.Export)}
	}
	v.result.ok("events", "events", "%d about %s %s, %d others; entries %d to %d of the ledger", count.About, v.index.Name(), v.period(), count.Context,
		proof.Leaves[0].Index, proof.Leaves[len(proof.Leaves)-1].Index)
	v.result.ok("inclusion", PackageProofFile, "all %d stand in the ledger at size %d, by %d shared hashes", len(proof.Leaves), proof.Size, len(proof.Others))
	v.result.ok("export", "events", "recorded as event %d before the package was made", v.index.Export)
	if v.index.Disclosed {
		v.result.ok("disclosures", "disclosures", "%d of %d sealed fields shown, each the one that was recorded", v.shown, v.sealed)
	} else {
		v.result.skip("disclosures", "events", "none of %d sealed fields (names, free text) is shown", v.sealed)
	}
	return v.checkComplete()
}

// exportType begins the type of the event that records the export of a package.
const exportType = "io.github.tallystick.package.exported."

func (v *packageVerifier) period() string {
	if v.index.From == "" {
		return "before " + v.index.Until
	}
	return "from " + v.index.From + " to before " + v.index.Until
}

// wanted returns the digests that some event must record: those by which files are named.
func (v *packageVerifier) wanted() map[tallystick.Digest]uint64 {
	wanted := map[tallystick.Digest]uint64{}
	for name := range v.digests {
		if m := digestName.FindStringSubmatch(name); m != nil && !strings.HasPrefix(name, policyFilesDir) {
			wanted[tallystick.Digest("sha256:"+m[2])] = unrecorded
		}
	}
	return wanted
}

// unrecorded stands for the index of an event that nobody has seen yet.
const unrecorded = ^uint64(0)

// chunk returns the leaves in a file of events, and the disclosures beside them.
func (v *packageVerifier) chunk(name string) (leaves, openings [][]byte, err error) {
	read := func(name string) (lines [][]byte, err error) {
		data, ok := v.archive.File(name)
		if !ok {
			return nil, fmt.Errorf("%s is missing", name)
		}
		raw, err := jsonLines(name, data)
		for _, line := range raw {
			lines = append(lines, line)
		}
		return lines, err
	}
	if leaves, err = read(name); err != nil || !v.index.Disclosed {
		return leaves, nil, err
	}
	beside := "disclosures" + strings.TrimPrefix(name, "events")
	if openings, err = read(beside); err == nil && len(openings) != len(leaves) {
		err = fmt.Errorf("%s has %d lines, not %d", beside, len(openings), len(leaves))
	}
	return leaves, openings, err
}

// place notes where the event stands in the ledger.
func (v *packageVerifier) place(event SealedEvent, proof *MultiProof, leaf []byte) error {
	index := uint64(int64(event.Sequence) + v.index.Offset)
	if n := len(proof.Leaves); n > 0 && index <= proof.Leaves[n-1].Index {
		return fmt.Errorf("event %d is not behind the one before it", event.Sequence)
	}
	proof.Leaves = append(proof.Leaves, PlacedHash{index, LeafHash(leaf)})
	return nil
}

func (v *packageVerifier) open(event SealedEvent, line []byte) error {
	ds, err := ParseOpenings(line)
	if err == nil {
		_, err = event.Open(ds)
	}
	v.shown += len(ds)
	return err
}

// count adds the event to those that are counted.
func (v *packageVerifier) count(c *Count, event SealedEvent) {
	if !v.index.About(event, v.from, v.until) {
		c.Context++
		return
	}
	c.Add(event.Time.Format("2006-01"))
}

// Add counts one more event about the model, of a month. Months come in their order but for clocks that
// were set back.
func (c *Count) Add(month string) {
	c.About++
	i, found := slices.BinarySearchFunc(c.Months, month, func(m MonthCount, month string) int { return strings.Compare(m.Month, month) })
	if !found {
		c.Months = slices.Insert(c.Months, i, MonthCount{Month: month})
	}
	c.Months[i].Events++
}

// learn notes which of the files' digests the event records in the clear, and the key of a signer that
// it lets count.
func (v *packageVerifier) learn(event SealedEvent, index uint64) {
	v.sealed += len(event.Commitments())
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case string:
			if before, ok := v.recorded[tallystick.Digest(value)]; ok {
				v.recorded[tallystick.Digest(value)] = min(before, index)
			}
		case []any:
			for _, element := range value {
				walk(element)
			}
		case map[string]any:
			if _, sealed := value[commitmentMember]; sealed && len(value) == 1 {
				return
			}
			for _, member := range value {
				walk(member)
			}
		}
	}
	walk(event.Data)
	if !strings.HasPrefix(event.Type, "io.github.tallystick.signer.added.") || event.Data["outcome"] != string(tallystick.Success) {
		return
	}
	k := Key{Role: RoleStatement, Algorithm: AlgorithmECDSA, PredicateTypes: []string{AnyPredicate}}
	k.ID, _ = event.Data["key"].(string)
	k.Name, _ = event.Data["name"].(string)
	k.PublicKey, _ = event.Data["public_key"].(string)
	v.admitted[k.ID] = k
}

// prove reads the shared hashes and compares the root that they give.
func (v *packageVerifier) prove(proof *MultiProof) error {
	data, _ := v.archive.File(PackageProofFile)
	var err error
	if proof.Others, err = parseNodes(data); err != nil {
		return err
	}
	root, err := proof.Root()
	if err == nil && root != v.checkpoint.Root {
		err = fmt.Errorf("events and hashes do not give the root of %q at size %d: an event was changed, or is not in this ledger", v.checkpoint.Origin, v.checkpoint.Size)
	}
	return err
}

func parseNodes(data []byte) ([]Hash, error) {
	if len(data)%sha256.Size != 0 {
		return nil, fmt.Errorf("%d bytes are no whole number of hashes", len(data))
	}
	nodes := make([]Hash, len(data)/sha256.Size)
	for i := range nodes {
		nodes[i] = Hash(data[i*sha256.Size:])
	}
	return nodes, nil
}

// PackageProof returns the inclusion proof of one event of a package, with its leaf: the C2SP tlog-proof
// that [Proof] verifies. It reads the package and verifies nothing of it.
func PackageProof(r io.ReaderAt, size int64, sequence uint64) (InclusionProof, error) {
	archive, err := ReadArchive(r, size)
	if err != nil {
		return InclusionProof{}, err
	}
	v := &packageVerifier{bundleVerifier: bundleVerifier{archive: archive}}
	envelope, ok := archive.File(PackageFile)
	if !ok {
		return InclusionProof{}, tallystick.Errorf(tallystick.Invalid, "the file is no package of an auditor: it has no %s", PackageFile)
	}
	e, err := parseOwnEnvelope(envelope)
	if err != nil {
		return InclusionProof{}, err
	}
	s, err := ParseStatement(e.Payload)
	if err == nil {
		err = v.readIndex(s)
	}
	if err != nil {
		return InclusionProof{}, err
	}
	p := InclusionProof{Index: uint64(int64(sequence) + v.index.Offset)}
	p.Checkpoint, _ = archive.File(CheckpointFile)
	c, err := ParseCheckpoint(p.Checkpoint)
	if err != nil {
		return p, err
	}
	proof := MultiProof{Size: c.Size}
	for _, name := range v.filesIn("events") {
		data, _ := archive.File(name)
		for leaf := range bytes.Lines(data) {
			leaf = bytes.TrimSuffix(leaf, []byte("\n"))
			event, err := DecodeEvent(leaf)
			if err == nil {
				err = v.place(event, &proof, leaf)
			}
			if err != nil {
				return p, err
			}
			if event.Sequence == sequence {
				p.Extra = leaf
			}
		}
	}
	if p.Extra == nil {
		return p, tallystick.Errorf(tallystick.NotFound, "the package has no event %d", sequence)
	}
	nodes, _ := archive.File(PackageProofFile)
	if proof.Others, err = parseNodes(nodes); err == nil {
		p.Hashes, err = proof.Inclusion(p.Index)
	}
	return p, err
}
