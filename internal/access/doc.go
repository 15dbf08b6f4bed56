// Package access knows who may do what: people and services, their roles, and the secrets by which
// they are known again.
//
// # Rights
//
// One table (Rights) says which role may carry out which action. The only question that others put to
// it is Principal.Allows.
//
// # Secrets
//
// A token, a session, an enrolment link and the bootstrap secret are each 256 random bits
// (Secret). The database and the trail hold SHA-256 of them, without salt or stretching: what a slow
// hash protects is a secret that can be guessed, and nobody runs through 2^256. So the digest may
// stand on the trail for everyone to read, and `tallystick verify` finds one that was exchanged in the
// database.
//
// A passphrase is chosen by a person and can be guessed. It is kept as argon2id (RFC 9106) in a table
// of its own, never on the trail, of which the trail holds a digest for the same reason: the digest
// covers a random salt of 128 bits, so it tells nothing to who does not have the row itself.
//
// # Names
//
// A person is known on the trail by an id, usr_..., that says nothing. The name is sealed, and can be
// erased without touching what the person did.
package access
