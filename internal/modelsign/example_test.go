package modelsign_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/internal/modelsign"
)

// A model is signed with a private key and verified with the public one; a file that was not
// signed is named.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "weights.bin"), []byte("weights"), 0o600); err != nil {
		log.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // modelsign.ParsePrivateKey reads one from a file
	if err != nil {
		log.Fatal(err)
	}

	model := modelsign.Model{Path: dir, SignaturePath: filepath.Join(dir, "model.sig")}
	bundle, _, err := modelsign.Sign(ctx, model, key, rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(model.SignaturePath, bundle, 0o600); err != nil {
		log.Fatal(err)
	}

	statement, manifest, err := modelsign.Verify(ctx, model, bundle, &key.PublicKey)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(statement.Files), "file signed;", statement.Root == manifest.Root())

	if err := os.WriteFile(filepath.Join(dir, "extra.py"), nil, 0o600); err != nil {
		log.Fatal(err)
	}
	_, _, err = modelsign.Verify(ctx, model, bundle, &key.PublicKey)
	fmt.Println(err)
	// Output:
	// 1 file signed; true
	// file "extra.py" was not signed; remove it, or sign the model again
}
