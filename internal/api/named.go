package api

import (
	"context"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/catalog"
	"github.com/tallystick/tallystick/internal/trail"
)

// nothing returns err, the error of a list that was read. If there is none and the list is empty, it is a
// NotFound error where a name that the list was chosen by is neither on record nor on the trail: an empty
// list would hide a misspelt one.
func (s *server) nothing(ctx context.Context, found int, err error, by catalog.Names) error {
	if err != nil || found > 0 {
		return err
	}
	if by.Owner != "" {
		switch _, err := s.Access.User(ctx, by.Owner); tallystick.CodeOf(err) {
		case "":
			by.Owner = ""
		case tallystick.NotFound:
		default:
			return err
		}
	}
	return s.Catalog.Known(ctx, by)
}

// nothingTold is nothing for events: what is on the trail alone is known, and so is whoever acted.
func (s *server) nothingTold(ctx context.Context, found int, f trail.Filter, by catalog.Names) error {
	if found > 0 {
		return nil
	}
	if f.Actor != "" {
		_, unknown := s.Access.User(ctx, f.Actor)
		if err := s.Catalog.UnlessTold(ctx, unknown, trail.Filter{Actor: f.Actor}); err != nil {
			return err
		}
	}
	if f.Resource.ID != "" {
		on := f.Resource
		switch on.Type {
		case "model":
			by.Model = on.ID
		case "version":
			by.Model, by.Version, _ = catalog.ParseVersionName(on.ID)
		case "environment":
			by.Environment = on.ID
		case "dataset":
			by.Dataset = on.ID
		}
		if err := s.Catalog.Known(ctx, by); err != nil {
			return err
		}
		untold := tallystick.Errorf(tallystick.NotFound, "nothing on the trail was done to %.140q", on.Type+"/"+on.ID).
			WithHint("`tallystick log` shows what there is, as TYPE/ID")
		return s.Catalog.UnlessTold(ctx, untold, trail.Filter{Resource: on})
	}
	return s.Catalog.Known(ctx, by)
}
