// Package verify checks Tallystick's evidence offline: events, inclusion proofs, checkpoints,
// signed statements and whole evidence bundles. It needs no workspace, no network and no server;
// it needs a [Trust], which says whose keys count. The writers of Tallystick use the encodings of
// this package, so that there is one definition of every format.
//
// Everything that it reads is taken to be hostile: sizes are bounded before anything is parsed,
// every format has exactly one accepted encoding, and nothing is written anywhere until all of it
// has been checked.
//
// The formats belong to others and can be checked with other people's tools: RFC 8785 (canonical
// JSON), CloudEvents 1.0, RFC 6962 (Merkle trees), C2SP signed-note, tlog-checkpoint and
// tlog-proof, in-toto Statement v1 in DSSE, and zip.
package verify
