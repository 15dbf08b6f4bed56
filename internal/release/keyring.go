package release

import (
	"crypto/ecdsa"

	"github.com/tallystick/tallystick/verify"
)

// standing says how far what a key signs counts.
type standing int

const (
	stranger standing = iota // nobody let it count
	revoked                  // it did once
	known
)

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
