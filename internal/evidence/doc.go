// Package evidence makes what package verify checks: it keeps the keys, signs statements, stores
// evidence by digest and writes evidence bundles.
//
// It records nothing: whoever signs a statement, rotates a key or exports a bundle records the
// event, so that the ledger says that it happened and when in its order.
package evidence
