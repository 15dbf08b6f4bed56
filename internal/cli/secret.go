package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/durable"
)

const maxSecret = 4096 // bytes of a file with a secret

// readSecret reads a secret from a file, or else from the terminal without showing it. Secrets are no
// flags and no variables: others on this machine could read them there.
func (a *app) readSecret(what, flag, path string) (string, error) {
	if path != "" {
		return secretFile(path)
	}
	in, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", tallystick.Errorf(tallystick.Invalid, "there is no terminal to ask for the %s", what).
			WithHint("give %s FILE; /dev/fd/3 reads a file descriptor", flag)
	}
	fmt.Fprintf(a.Err, "%s: ", what)
	typed, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(a.Err)
	if err != nil {
		return "", fmt.Errorf("read the %s: %w", what, err)
	}
	return string(typed), nil
}

// newPassphrase reads a passphrase that is to be set: twice, where a slip of the finger is not seen.
func (a *app) newPassphrase(path string) (string, error) {
	first, err := a.readSecret("new passphrase", "--passphrase-file", path)
	if err != nil || path != "" {
		return first, err
	}
	again, err := a.readSecret("the same again", "--passphrase-file", path)
	if err == nil && again != first {
		err = tallystick.Errorf(tallystick.Invalid, "the two passphrases differ").WithHint("try again")
	}
	return first, err
}

func secretFile(path string) (string, error) {
	raw, err := readFile(path, maxSecret)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(raw), "\r\n"), nil
}

// checkSecretOutput refuses, before a secret is made, to print it where it might be kept by mistake.
func (a *app) checkSecretOutput(path string) error {
	if _, ok := terminal(a.Out); path == "" && !ok {
		return tallystick.Errorf(tallystick.Invalid, "--output is missing: the secret would end up in a log").
			WithHint("give --output FILE, which you alone can read, or --output - for standard output")
	}
	if path != "" && path != "-" && exists(path) {
		return tallystick.Errorf(tallystick.Invalid, "%s exists", path).WithHint("name a new file with --output")
	}
	return nil
}

// handOver writes a secret to a file that its owner alone can read, or to standard output.
func (a *app) handOver(path, secret string) error {
	if path == "" || path == "-" {
		_, err := fmt.Fprintln(a.Out, secret)
		return err
	}
	return durable.CreateFile(path, 0o600, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, secret)
		return err
	})
}

// sessionFile is where the secret of a session with a server is kept.
func sessionFile(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return "", tallystick.Errorf(tallystick.Invalid, "server %q is not the URL of a server", server).WithHint("write https://host or http://127.0.0.1:8750")
	}
	state, err := userDir("XDG_STATE_HOME", ".local/state")
	return filepath.Join(state, "sessions", url.PathEscape(u.Scheme+"_"+u.Host)), err
}

// keepSession keeps the secret of a session for the commands that follow.
func keepSession(server, secret string) error {
	path, err := sessionFile(server)
	if err != nil {
		return err
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return durable.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, secret)
		return err
	})
}

// keptSession returns the secret of the session with a server, empty if there is none.
func keptSession(server string) (string, error) {
	path, err := sessionFile(server)
	if err != nil {
		return "", err
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the session with %s: %w", server, err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// forgetSession forgets the session with a server.
func forgetSession(server string) error {
	path, err := sessionFile(server)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
