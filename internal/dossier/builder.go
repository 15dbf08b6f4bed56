package dossier

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/evidence"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/internal/workspace"
	"github.com/tallystick/tallystick/verify"
)

// chunkSize is from how many bytes on events go into another file.
const chunkSize = 4 << 20

// builder makes one package.
type builder struct {
	office  *Office
	request Request
	export  trail.Event
	prover  *workspace.Prover
	index   verify.PackageIndex
	spool   *spool
	tell    *teller

	around  map[uint64]bool // sequences of surroundings
	leaves  []verify.PlacedHash
	indexes []uint64
	chunks  int
	events  bytes.Buffer // leaves of the chunk that is being filled
	opened  bytes.Buffer // their disclosures
	shown   int          // sealed fields
	history bytes.Buffer
	story   story
	named   named // digests that events record
}

// build fills the spool and signs its index.
func (b *builder) build(ctx context.Context, signer *evidence.Signer) (*Package, error) {
	b.story, b.named = newStory(), newNamed()
	for e, err := range b.chosen(ctx) {
		one := []trail.Event{e}
		if err == nil && b.request.Disclose {
			err = b.office.config.Cases.Close(ctx, "", one) // nobody knows who will read a package
		}
		if err == nil {
			err = b.take(ctx, one[0])
		}
		if err != nil {
			return nil, err
		}
	}
	if err := b.flush(); err != nil {
		return nil, err
	}
	if err := b.prove(ctx); err != nil {
		return nil, err
	}
	trust, err := b.office.config.Workspace.Trust().Marshal()
	if err != nil {
		return nil, err
	}
	if err := b.spool.add(verify.TrustFile, trust); err != nil {
		return nil, err
	}
	if err := b.bring(ctx); err != nil {
		return nil, err
	}
	if err := b.write(); err != nil {
		return nil, err
	}
	statement, err := verify.NewStatement(verify.PredicateManifest, b.index, b.spool.subjects()...)
	if err != nil {
		return nil, err
	}
	envelope, _, err := signer.Sign(statement)
	if err != nil {
		return nil, err
	}
	if err := b.spool.add(verify.PackageFile, envelope); err != nil {
		return nil, err
	}
	p, err := b.spool.pack(b.index)
	if err == nil {
		p.Disclosed = b.shown
	}
	return p, err
}

// take puts one event into the package.
func (b *builder) take(ctx context.Context, e trail.Event) error {
	if e.Index == nil || int64(*e.Index)-int64(e.Sequence) != b.index.Offset {
		return fmt.Errorf("event %d has no place in the ledger beside the export", e.Sequence)
	}
	b.leaves = append(b.leaves, verify.PlacedHash{Index: *e.Index, Hash: verify.LeafHash(e.Leaf)})
	b.indexes = append(b.indexes, *e.Index)
	b.events.Write(e.Leaf)
	b.events.WriteByte('\n')
	about := e.Model == b.request.Model
	told := about || b.around[e.Sequence] // of others, in a complete package, there are the leaves alone
	if b.request.Disclose {
		if !told {
			e.Disclosures = nil
		}
		b.shown += len(e.Disclosures)
		if err := writeOpenings(&b.opened, e.Disclosures); err != nil {
			return err
		}
	}
	if about && b.index.About(verify.SealedEvent{Event: verify.Event{Data: e.Sealed(), Time: e.Time}}, b.request.From, b.request.Until) {
		b.index.Events.Add(e.Time.Format("2006-01"))
	} else {
		b.index.Events.Context++
	}
	if told {
		line, err := b.tell.line(ctx, e)
		if err != nil {
			return err
		}
		line.write(&b.history)
		b.story.add(e, line)
		b.named.add(e)
	}
	if b.events.Len() >= chunkSize || b.opened.Len() >= chunkSize {
		return b.flush()
	}
	return nil
}

// flush ends the chunk.
func (b *builder) flush() error {
	if b.events.Len() == 0 {
		return nil
	}
	b.chunks++
	name := fmt.Sprintf("/%06d.jsonl", b.chunks)
	if err := b.spool.add("events"+name, b.events.Bytes()); err != nil {
		return err
	}
	b.events.Reset()
	if !b.request.Disclose {
		return nil
	}
	err := b.spool.add("disclosures"+name, b.opened.Bytes())
	b.opened.Reset()
	return err
}

// writeOpenings writes disclosures as a line: the arrays that the commitments hash.
func writeOpenings(out *bytes.Buffer, ds []verify.Disclosure) error {
	out.WriteByte('[')
	for i, d := range ds {
		pointer, err := verify.Canonical(d.Pointer)
		if err != nil {
			return err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`["` + d.Salt + `",`)
		out.Write(pointer)
		out.WriteByte(',')
		out.Write(d.Value)
		out.WriteByte(']')
	}
	out.WriteString("]\n")
	return nil
}

// prove adds the shared proof and the checkpoint, once they are seen to fit.
func (b *builder) prove(ctx context.Context) error {
	proof, err := b.prover.MultiProof(ctx, b.indexes)
	if err != nil {
		return err
	}
	proof.Leaves = b.leaves
	checkpoint := b.prover.Checkpoint()
	signed, err := verify.OpenCheckpoint(checkpoint, b.office.config.Workspace.Trust())
	if err != nil {
		return err
	}
	root, err := proof.Root()
	if err != nil {
		return err
	}
	if root != signed.Root {
		return tallystick.Errorf(tallystick.Conflict, "the ledger does not hold the events that the database has").WithHint("`tallystick verify` says which")
	}
	b.story.checkpoint, b.story.size = signed, uint64(len(b.leaves))
	if err := b.spool.add(verify.CheckpointFile, checkpoint); err != nil {
		return err
	}
	nodes := make([]byte, 0, 32*len(proof.Others))
	for _, node := range proof.Others {
		nodes = append(nodes, node[:]...)
	}
	return b.spool.add(verify.PackageProofFile, nodes)
}

// write adds what people read.
func (b *builder) write() error {
	if err := b.spool.add("history.txt", b.history.Bytes()); err != nil {
		return err
	}
	var page, readme bytes.Buffer
	v := b.view()
	if err := v.writePage(&page); err != nil {
		return err
	}
	if err := v.writeReadme(&readme); err != nil {
		return err
	}
	if err := b.spool.add("index.html", page.Bytes()); err != nil {
		return err
	}
	return b.spool.add("README.md", readme.Bytes())
}

// oneLine keeps what people wrote from beginning a line of its own.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
