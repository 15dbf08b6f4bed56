package release

import (
	"crypto/ecdsa"

	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/verify"
)

// standing says how far what a key signs counts.
type standing int

const (
	stranger standing = iota // nobody let it count
	revoked                  // it did once
	known
)

// String returns the word for it.
func (s standing) String() string { return [...]string{"unknown", "revoked", "counts"}[s] }

// keyring holds the keys from outside, revoked ones too, by id, and the installation's own.
type keyring struct {
	outside map[string]Signer
	own     func(id string) (verify.Key, error)
}

// find returns the public key of that id, nil if there is none. A model's signature names a key by the digest of its PEM
// text.
func (k keyring) find(name string) (id string, key *ecdsa.PublicKey) {
	if own, err := k.own(name); err == nil && own.ID == name && own.Role == verify.RoleStatement {
		if pub, err := own.Public(); err == nil {
			key, _ := pub.(*ecdsa.PublicKey)
			return name, key
		}
	}
	if s, there := k.outside[name]; there {
		key, _ := s.key()
		return name, key
	}
	for id, s := range k.outside {
		if s.hint() == name {
			key, _ := s.key()
			return id, key
		}
	}
	return name, nil
}

// SignersIn returns what says of a key, as it stands on record of evidence, whose it is and whether it
// counts for a type of predicate: counts, revoked or unknown.
func (o *Office) SignersIn(tx *state.Tx) (func(key, predicate string) (name, standing string), error) {
	keys, err := o.keys(tx)
	return func(key, predicate string) (name, standing string) {
		id, _ := keys.find(key)
		if s, there := keys.outside[id]; there {
			name = s.Name
		} else if own, err := keys.own(id); err == nil && own.ID == id {
			name = "the installation"
		}
		return name, keys.standing(id, predicate).String()
	}, err
}

// standing says how far a key counts for a type of predicate now.
func (k keyring) standing(id, predicate string) standing {
	if own, err := k.own(id); err == nil && own.ID == id && own.Role == verify.RoleStatement {
		if own.Status == verify.StatusCompromised {
			return revoked
		}
		return known
	}
	switch s, there := k.outside[id]; {
	case !there || !s.may(predicate):
		return stranger
	case !s.Revoked.IsZero():
		return revoked
	}
	return known
}
