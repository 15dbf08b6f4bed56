// Package modelsign signs and verifies models as OpenSSF Model Signing 1.0 says, with keys: a
// Sigstore bundle (v0.3, JSON) around a DSSE envelope around an in-toto statement that lists the
// SHA-256 of every file. What it signs the reference tool, model_signing of Python, verifies, and the reverse.
//
// Of the specification it does the method "key" with ECDSA on P-256, P-384 and P-521, hash type
// "sha256" and serialization "files". Certificates, Sigstore's keyless method, "shards" and other
// hashes are refused by name.
//
// The reference tool strays from the specification in two places. It orders names by path element
// where the specification orders them as strings: Sign does as the specification says, and both
// tools verify both. And it calls the only file of a one-file model ".", not by its name, and
// verifies nothing else: there Sign does as the tool does, and Verify takes both.
package modelsign
