package dossier

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/policy"
	"github.com/tallystick/tallystick/internal/trail"
	"github.com/tallystick/tallystick/verify"
)

const (
	maxNamed     = 3000      // pieces of evidence that a package holds
	maxPiece     = 32 << 20  // bytes of one
	maxEvidence  = 100 << 20 // of all: the events come first
	maxMentioned = 10000     // pieces that it names without holding them
)

// named are the digests of evidence that events record, in the order of their first event.
type named struct {
	dirs     map[tallystick.Digest]string // to the directory
	order    []tallystick.Digest
	policies policy.Timeline
	files    map[tallystick.Digest][]policyFile // of policies, where their text is held
}

// policyUse says when the gate judged by a policy.
type policyUse struct {
	policy.Use
	Files []policyFile // none: the text is not held
}

type policyFile struct{ Name, Path string }

func newNamed() named {
	return named{dirs: map[tallystick.Digest]string{}, files: map[tallystick.Digest][]policyFile{}}
}

// evidenceFields are the public fields of events that name evidence by its digest, with the directory
// in which it lies.
var evidenceFields = []struct{ field, dir string }{
	{"statements", "statements"}, {"report_digest", "reports"}, {"input_digest", "decisions"}, {"evidence_digest", "evidence"},
	{"criteria_digest", "evidence"}, {"contract_digest", "evidence"}, {"rotation_digest", "evidence"},
}

// evidenceOf yields the digests of evidence that an event names, with the directory of each.
func evidenceOf(e trail.Event) iter.Seq2[tallystick.Digest, string] {
	return func(yield func(tallystick.Digest, string) bool) {
		data := e.Sealed()
		for _, f := range evidenceFields {
			switch value := data[f.field].(type) {
			case string:
				if d := tallystick.Digest(value); d.Validate() == nil && !yield(d, f.dir) {
					return
				}
			case []any:
				for _, item := range value {
					text, _ := item.(string)
					if d := tallystick.Digest(text); d.Validate() == nil && !yield(d, f.dir) {
						return
					}
				}
			}
		}
	}
}

// add notes what an event names.
func (n *named) add(e trail.Event) {
	for d, dir := range evidenceOf(e) {
		if n.dirs[d] == "" && len(n.order) < maxMentioned {
			n.dirs[d] = dir
			n.order = append(n.order, d)
		}
	}
	data := e.Sealed()
	text, _ := data["policy_digest"].(string)
	d := tallystick.Digest(text)
	if d.Validate() != nil || e.Type == trail.PolicyChanged || e.Type == trail.PolicyConfirmed {
		return // which say what is in force, and judge nothing
	}
	tier, _ := data["tier"].(string)
	n.policies.Add(tier, d, e.Time, e.Sequence)
}

// uses returns the policies in the order of their first use.
func (n *named) uses() (all []*policyUse) {
	for _, u := range n.policies.Policies() {
		all = append(all, &policyUse{u, n.files[u.Digest]})
	}
	return all
}

// bring adds the evidence that is in the store, and the policies.
func (b *builder) bring(ctx context.Context) error {
	var total, pieces int
	for _, d := range b.named.order {
		dir := b.named.dirs[d]
		why := ""
		var body []byte
		switch {
		case dir == "decisions" && !b.request.Disclose:
			why = "the input of a decision names people; it comes with --disclose"
		case pieces == maxNamed || total > maxEvidence:
			why = "the package holds as much evidence as it may"
		default:
			var err error
			body, err = b.office.config.Workspace.Evidence.Enclosed(ctx, b.office.config.Workspace.DB, d)
			switch {
			case tallystick.CodeOf(err) == tallystick.NotFound:
				why = "its bytes were never brought here"
			case err != nil:
				return err
			case len(body) > maxPiece:
				why = "it is larger than 32 MiB"
			}
		}
		if why != "" {
			b.index.Absent = append(b.index.Absent, verify.AbsentEvidence{Digest: d, Why: why})
			continue
		}
		name, _ := pieceName(dir, d, body)
		if err := b.spool.add(name, body); err != nil {
			return err
		}
		pieces, total = pieces+1, total+len(body)
	}
	return b.bringPolicies(ctx)
}

// pieceName returns where a piece of evidence lies, by what it is.
func pieceName(dir string, d tallystick.Digest, body []byte) (name, kind string) {
	if _, err := verify.ParseEnvelope(body); err == nil {
		return "statements/" + d.Hex() + ".dsse.json", "statement"
	}
	switch {
	case dir == "statements":
		dir = "evidence"
	case bytes.HasPrefix(body, []byte("PK\x03\x04")) && isBundle(body):
		return "bundles/" + d.Hex() + ".tally", "bundle"
	}
	if bytes.HasPrefix(body, []byte("{")) {
		return dir + "/" + d.Hex() + ".json", "document"
	}
	return dir + "/" + d.Hex(), "file"
}

// isBundle reports whether a file is an evidence bundle as far as its form goes.
func isBundle(body []byte) bool {
	archive, err := verify.ReadArchive(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return false
	}
	_, ok := archive.File(verify.ManifestFile)
	return ok
}

// bringPolicies adds the text of each policy by which was judged, as far as it is held: a listing whose
// digest is the policy's, and the files that it lists.
func (b *builder) bringPolicies(ctx context.Context) error {
	brought := map[string]string{} // digest of a file, to its path
	for _, use := range b.named.uses() {
		files, err := b.policy(ctx, use)
		if err != nil {
			return err
		}
		if files == nil {
			b.index.Absent = append(b.index.Absent, verify.AbsentEvidence{Digest: use.Digest, Why: "the text of this policy is not held any more"})
			continue
		}
		var listing bytes.Buffer
		for _, f := range files {
			hex := tallystick.DigestOf(f.Data).Hex()
			fmt.Fprintf(&listing, "%s  %s\n", hex, f.Name)
			path, here := brought[hex]
			if !here {
				path = "policies/files/" + hex + ending(f.Name)
				brought[hex] = path
				if err := b.spool.add(path, f.Data); err != nil {
					return err
				}
			}
			b.named.files[use.Digest] = append(b.named.files[use.Digest], policyFile{f.Name, path})
		}
		if err := b.spool.add("policies/"+use.Digest.Hex()+".sha256", listing.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func ending(name string) string {
	for _, known := range []string{".rego", ".json"} {
		if strings.HasSuffix(name, known) {
			return known
		}
	}
	return ""
}

// policy returns the files of a policy, nil if nobody has them: the store has them since it first decided, those of the tiers
// now the program and the installation's own directory hold.
func (b *builder) policy(ctx context.Context, use *policyUse) ([]policy.File, error) {
	files, err := policy.Kept(ctx, b.office.config.Workspace.Evidence, use.Digest)
	if code := tallystick.CodeOf(err); code != tallystick.NotFound && code != tallystick.Invalid {
		return files, err
	}
	for _, tier := range []tallystick.Tier{tallystick.TierLow, tallystick.TierLimited, tallystick.TierHigh} {
		for _, load := range []func(tallystick.Tier) (*policy.Pack, error){b.office.config.Pack, policy.Packs("")} {
			pack, err := load(tier)
			if err != nil {
				return nil, err
			}
			if pack.Digest() == use.Digest {
				return pack.Files(), nil
			}
		}
	}
	return nil, nil
}
