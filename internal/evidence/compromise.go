package evidence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/verify"
)

// Find returns the key with that id, or the only one whose id begins so.
func (k *Keys) Find(id string) (verify.Key, error) {
	var found []verify.Key
	for _, key := range k.Trust().Keys {
		if id != "" && strings.HasPrefix(key.ID, id) {
			found = append(found, key)
		}
	}
	switch len(found) {
	case 0:
		return verify.Key{}, tallystick.Errorf(tallystick.NotFound, "no key has the id %q", id).WithHint("list them with `tallystick key list`")
	case 1:
		return found[0], nil
	}
	return verify.Key{}, tallystick.Errorf(tallystick.Invalid, "%d keys have an id that begins with %q", len(found), id).WithHint("give more of it")
}

// MarkCompromised says in the trust document that from the ledger index from on the key with that
// id may have been in other hands. A key in use must be rotated first. A key that is marked from an
// earlier index stays so. As with Adopt, the event comes first.
func (k *Keys) MarkCompromised(id string, from uint64) (verify.Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	trust := k.trust
	trust.Keys = slices.Clone(trust.Keys)
	at := slices.IndexFunc(trust.Keys, func(key verify.Key) bool { return key.ID == id })
	if at < 0 {
		return verify.Key{}, tallystick.Errorf(tallystick.NotFound, "no key has the id %q", id)
	}
	key := &trust.Keys[at]
	if err := Compromisable(*key); err != nil {
		return verify.Key{}, err
	}
	if key.CompromisedFrom != nil && *key.CompromisedFrom <= from {
		return *key, nil
	}
	key.Status, key.CompromisedFrom = verify.StatusCompromised, &from
	if err := k.saveTrust(trust); err != nil {
		return verify.Key{}, fmt.Errorf("mark compromised: %w", err)
	}
	k.trust = trust
	return *key, nil
}

// Compromisable returns a Conflict for a key in use: it must be rotated first.
func Compromisable(key verify.Key) error {
	if key.Status != verify.StatusActive || key.Role == verify.RoleWitness {
		return nil
	}
	return tallystick.Errorf(tallystick.Conflict, "key %s is in use", key.ID).
		WithHint("rotate it first: tallystick key rotate %s", key.Role)
}
