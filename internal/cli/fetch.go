package cli

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/dial"
)

const (
	maxFetched = 100 << 30     // bytes of a file from a URL
	fetchTotal = 6 * time.Hour // for one
)

// fetchFlag adds the flag that says from where artifacts are fetched.
func fetchFlag(cmd *cobra.Command, hosts *[]string) {
	cmd.Flags().StringArrayVar(hosts, "fetch-from", nil, "a `host` from which artifacts may be fetched: name, name:port, .suffix, http://name; one that is not public needs its network too, such as 10.1.0.0/16")
}

// fetchFrom lets artifacts be fetched from these hosts.
func (a *app) fetchFrom(hosts []string) error {
	allowed, err := dial.ParseAllowList(hosts)
	if err != nil {
		return fmt.Errorf("--fetch-from: %w", err)
	}
	a.fetch = dial.New(dial.Config{Allow: allowed, Total: fetchTotal, MaxBytes: maxFetched})
	return nil
}

// fetchFlags say that the one file of a version is at a URL.
type fetchFlags struct {
	url, digest string
	hosts       []string
}

func (f *fetchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "`URL` of the file in place of PATH; the server fetches it into its store")
	flags.StringVar(&f.digest, "sha256", "", "`digest` that the file at --url must have; without it, what comes is taken")
	fetchFlag(cmd, &f.hosts)
}

// prepare lets this process fetch, if it is the one that will: from where its user says, who names the
// URL's own host by naming the URL.
func (f *fetchFlags) prepare(a *app) error {
	if f.url == "" {
		if f.digest != "" || len(f.hosts) > 0 {
			return tallystick.Errorf(tallystick.Invalid, "--sha256 and --fetch-from say how a file is fetched, and there is no --url").WithHint("give --url, or leave them out")
		}
		return nil
	}
	if a.serverURL() != "" {
		if len(f.hosts) > 0 {
			return tallystick.Errorf(tallystick.Invalid, "--fetch-from does not say from where a server fetches").WithHint("its operator does, with `tallystick serve --fetch-from HOST`")
		}
		return nil
	}
	hosts := f.hosts
	if u, err := url.Parse(f.url); err == nil && u.Scheme == "https" && u.Host != "" {
		hosts = append(hosts[:len(hosts):len(hosts)], u.Host)
	}
	return a.fetchFrom(hosts)
}

// fetch has the file at the URL put into the store, and returns it as the one file of a version.
func (f *fetchFlags) fetch(ctx context.Context, s *session, model string) ([]artifact.File, error) {
	shown, err := dial.Shown(f.url)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(shown)
	if err != nil {
		return nil, err
	}
	name := path.Base(u.Path)
	if err := artifact.ValidateFileName(name); err != nil || name == "." || name == "/" {
		return nil, tallystick.Errorf(tallystick.Invalid, "the path of %s ends in no name of a file", shown).WithHint("download the file yourself and register it from there")
	}
	request := map[string]any{"url": f.url}
	if f.digest != "" {
		digest, err := parseSHA256(f.digest)
		if err != nil {
			return nil, fmt.Errorf("--sha256: %w", err)
		}
		request["digest"] = digest
	}
	var found api.Artifact
	if _, err := s.Await(ctx, modelPath(model)+"/artifacts", request, &found); err != nil {
		return nil, err
	}
	return []artifact.File{{Name: name, Size: found.Size, Digest: found.Digest}}, nil
}

// parseSHA256 reads a digest with its prefix, or as sha256sum prints it.
func parseSHA256(s string) (tallystick.Digest, error) {
	if len(s) == 64 {
		s = "sha256:" + s
	}
	return tallystick.ParseDigest(s)
}
