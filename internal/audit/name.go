package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/report"
)

// name settles model, version, owner and tier. A registered model keeps its tier if the user names
// none, and the gate applies the higher one.
func (o Office) name(ctx context.Context, cfg Config, doc *report.Document) error {
	m := &doc.Model
	if m.Name == "" {
		m.Name, m.Version = guessedName(doc.Data.Files[0].Name), doc.Data.Digest.Short()
		doc.Guesses = append(doc.Guesses, fmt.Sprintf("the audited version is named %s@%s after the file and its digest (say so with --model and --version)", m.Name, m.Version))
	}
	if m.Owner == "" {
		m.Owner = o.Workspace.Actor().ID
	}
	if cfg.Tier == "" {
		m.Tier = tallystick.TierLimited
	}
	registered, err := o.Catalog.Model(ctx, m.Name)
	switch {
	case tallystick.CodeOf(err) == tallystick.NotFound:
		if cfg.Tier == "" {
			doc.Guesses = append(doc.Guesses, "the risk tier is taken for limited (say so with --tier)")
		}
		return nil
	case err != nil:
		return err
	case cfg.Tier == "":
		m.Tier = registered.Tier
	case cfg.Tier.Below(registered.Tier):
		return catalog.LowerTier(registered, cfg.Tier)
	}
	if cfg.Owner == "" {
		m.Owner = registered.Owner
	}
	return nil
}

// guessedName makes a model name of a file name.
func guessedName(file string) string {
	base, _, _ := strings.Cut(file, ".")
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_", r) || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, base)
	name = strings.Trim(name[:min(100, len(name))], "-_")
	if name == "" {
		return "model"
	}
	return name
}
