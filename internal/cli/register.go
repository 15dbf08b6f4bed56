package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/internal/artifact"
	"github.com/tallystick/tallystick/internal/catalog"
)

// versionBody is what the API takes to register a version.
type versionBody struct {
	Version  string          `json:"version"`
	Manifest []artifact.File `json:"manifest,omitempty"`
	Draft    bool            `json:"draft,omitempty"`
	catalog.VersionDetails
}

// registerFlags are what a person says of a version.
type registerFlags struct {
	catalog.VersionDetails
	draft, upload                                   bool
	libraries, image, trigger                       string
	metrics, samples, thresholds, seeds, parameters []string
	snapshots                                       []string
	hashing                                         artifact.HashOptions
	from                                            fetchFlags
}

func (a *app) register() *cobra.Command {
	f := &registerFlags{}
	cmd := &cobra.Command{
		Use:   "register MODEL@VERSION [PATH...]",
		Short: "Register a version of a model: its files, and how it was made",
		Long: `Register hashes the files at each PATH here and records their names, digests and sizes: they are the
version's identity and never change. The files themselves stay where they are, unless --upload sends them
to the store. What else has to be said follows from the model's tier; what is missing is named.

Registering the same again changes nothing. Other files under the same name are refused, and the
first file that differs is named.

With --url the file is fetched into the store instead, by the server if there is one: from hosts that its
operator allows. The URL goes on record without its query.`,
		Example: `  tallystick register credit@3 model/ --changelog "new income feature" --justification "finding 12" \
    --training-cutoff 2026-01-31 --commit "$(git rev-parse HEAD)" --libraries requirements.txt \
    --metric auc=0.81,n=6172 --sample train=40000 --sample test=6172 --upload
  tallystick register credit@4 --url https://models.example.org/credit/4/model.safetensors --sha256 DIGEST
  tallystick register credit@5 --draft`,
		Args:    cobra.MinimumNArgs(1),
		PreRunE: func(*cobra.Command, []string) error { return f.from.prepare(a) },
	}
	f.add(cmd)
	return acts(a, cmd, command[catalog.Version]{
		do: func(ctx context.Context, s *session, args []string) (catalog.Version, client.Receipt, error) {
			return a.runRegister(ctx, s, f, args)
		},
		text: printVersion,
	})
}

func (f *registerFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.Changelog, "changelog", "", "what changed since the version before")
	flags.StringVar(&f.Justification, "justification", "", "why this version is made")
	flags.StringVar(&f.TrainingCutoff, "training-cutoff", "", "last day of the training data, a `date` as 2026-01-31")
	flags.StringArrayVar(&f.metrics, "metric", nil, "`NAME=VALUE,n=ROWS` with low=, high= and data=DIGEST if known: how well it did")
	flags.StringArrayVar(&f.samples, "sample", nil, "`PART=ROWS`: how much data each part had, such as train=40000")
	flags.StringVar(&f.CodeCommit, "commit", "", "commit of the training code, its whole `hash`")
	flags.StringVar(&f.libraries, "libraries", "", "`file` with the versions of the libraries, as pip freeze writes them")
	flags.StringArrayVar(&f.thresholds, "threshold", nil, "`METRIC=above|below:VALUE` with ,warn=VALUE and ,window=24h: from when on monitoring is to speak up")
	flags.StringArrayVar(&f.seeds, "seed", nil, "`NAME=VALUE` of a seed")
	flags.StringVar(&f.image, "image", "", "`digest` of the container image of the training, sha256:...")
	flags.StringVar(&f.Metadata.Hardware, "hardware", "", "what it was trained on")
	flags.StringArrayVar(&f.parameters, "parameter", nil, "`NAME=VALUE` of a hyper-parameter")
	flags.StringArrayVar(&f.snapshots, "snapshot", nil, "`digest` of data that it was trained on")
	flags.StringVar(&f.Run, "run", "", "id of the run that made it")
	flags.StringVar(&f.trigger, "trigger", "", "`KIND:ID` of what made it necessary; KIND is event, finding, incident, schedule or request")
	flags.BoolVar(&f.upload, "upload", false, "send the files to the store too")
	flags.BoolVar(&f.draft, "draft", false, "register the name alone")
	f.from.add(cmd)
	addHashFlags(cmd, &f.hashing)
}

// addHashFlags adds the flags that say which files count.
func addHashFlags(cmd *cobra.Command, o *artifact.HashOptions) {
	cmd.Flags().StringSliceVar(&o.Ignore, "ignore", nil, "`path` in the directory that is no part of the model")
	cmd.Flags().BoolVar(&o.FollowLinks, "follow-links", false, "take the files that symbolic links point to")
}

func (a *app) runRegister(ctx context.Context, s *session, f *registerFlags, args []string) (v catalog.Version, receipt client.Receipt, err error) {
	model, version, err := versionName(args[0])
	if err != nil {
		return v, receipt, err
	}
	paths := args[1:]
	if f.draft && (len(paths) > 0 || f.upload) || f.upload && len(paths) == 0 {
		return v, receipt, tallystick.Errorf(tallystick.Invalid, "--draft registers a name without files, and --upload sends files").WithHint("give the files as PATH and leave out --draft, or the reverse")
	}
	if f.from.url != "" && (len(paths) > 0 || f.draft || f.upload) {
		return v, receipt, tallystick.Errorf(tallystick.Invalid, "--url names the file in place of PATH, and puts it into the store").WithHint("leave out PATH, --draft and --upload, or --url")
	}
	if err := f.settle(); err != nil {
		return v, receipt, err
	}
	body := versionBody{Version: version, Draft: f.draft, VersionDetails: f.VersionDetails}
	progress := a.progress()
	defer progress.done()
	if len(paths) > 0 {
		manifest, err := hashPaths(ctx, paths, f.hashing, progress)
		if err != nil {
			return v, receipt, err
		}
		body.Manifest = manifest.Files()
	}
	if f.from.url != "" {
		if body.Manifest, err = f.from.fetch(ctx, s, model); err != nil {
			return v, receipt, err
		}
	}
	if receipt, err = s.Post(ctx, modelPath(model)+"/versions", body, &v); err != nil || !f.upload {
		return v, receipt, err
	}
	return v, receipt, upload(ctx, s, model, paths, body.Manifest, progress)
}

func hashPaths(ctx context.Context, paths []string, o artifact.HashOptions, p *progress) (artifact.Manifest, error) {
	for _, path := range paths {
		if !exists(path) {
			return artifact.Manifest{}, tallystick.Errorf(tallystick.Invalid, "%s: no such file or directory", path).WithHint("check the path")
		}
	}
	o.Progress = func(done, total int64) { p.show("hashing", done, total) }
	return artifact.Hash(ctx, paths, o)
}

// upload sends the bytes of the files that the store does not have.
func upload(ctx context.Context, s *session, model string, paths []string, files []artifact.File, p *progress) error {
	var sent, total int64
	for _, file := range files {
		total += file.Size
	}
	for _, file := range files {
		at := modelPath(model) + "/artifacts/" + string(file.Digest)
		if s.Get(ctx, at, nil) != nil { // it is not there, or else the upload will say what is wrong
			open := func() (io.ReadCloser, error) {
				r, err := os.Open(localPath(paths, file.Name))
				return counted{r, func(n int64) { p.show("uploading", sent+n, total) }, new(int64)}, err
			}
			if err := s.Upload(ctx, at, file.Size, open, nil); err != nil {
				return fmt.Errorf("upload %s: %w", file.Name, err)
			}
		}
		sent += file.Size
	}
	return nil
}

// localPath returns the file that artifact.Hash called name.
func localPath(paths []string, name string) string {
	if len(paths) == 1 {
		if info, err := os.Stat(paths[0]); err == nil && info.IsDir() {
			return filepath.Join(paths[0], filepath.FromSlash(name))
		}
		return paths[0]
	}
	first, rest, _ := strings.Cut(name, "/")
	for _, path := range paths {
		if whole, err := filepath.Abs(path); err == nil && filepath.Base(whole) == first {
			return filepath.Join(path, filepath.FromSlash(rest))
		}
	}
	return name
}

// counted tells how much of a file has been read.
type counted struct {
	*os.File
	tell func(n int64)
	read *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	*c.read += int64(n)
	c.tell(*c.read)
	return n, err
}

// settle reads the flags that are not plain values.
func (f *registerFlags) settle() (err error) {
	m := &f.Metadata
	if m.Metrics, err = each("--metric", f.metrics, parseMetric); err != nil {
		return err
	}
	if m.SampleSizes, err = each("--sample", f.samples, parseRows); err != nil {
		return err
	}
	if m.Thresholds, err = each("--threshold", f.thresholds, parseThreshold); err != nil {
		return err
	}
	if m.Seeds, err = pairs("--seed", f.seeds); err != nil {
		return err
	}
	if m.Parameters, err = pairs("--parameter", f.parameters); err != nil {
		return err
	}
	for _, s := range f.snapshots {
		digest, err := tallystick.ParseDigest(s)
		if err != nil {
			return fmt.Errorf("--snapshot: %w", err)
		}
		m.Snapshots = append(m.Snapshots, digest)
	}
	if f.image != "" {
		if f.Image, err = tallystick.ParseDigest(f.image); err != nil {
			return fmt.Errorf("--image: %w", err)
		}
	}
	if f.trigger != "" {
		f.Trigger.Kind, f.Trigger.ID, _ = strings.Cut(f.trigger, ":")
	}
	if f.libraries != "" {
		m.Libraries, err = readLibraries(f.libraries)
	}
	return err
}

// each reads NAME=VALUE flags of which the value is more than a text.
func each[T any](flag string, given []string, parse func(value string) (T, error)) (map[string]T, error) {
	texts, err := pairs(flag, given)
	if len(texts) == 0 || err != nil {
		return nil, err
	}
	read := map[string]T{}
	for name, text := range texts {
		if read[name], err = parse(text); err != nil {
			return nil, fmt.Errorf("%s %s=%s: %w", flag, name, text, err)
		}
	}
	return read, nil
}

func parseRows(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, tallystick.Errorf(tallystick.Invalid, "%q is no number of rows", s)
	}
	return n, nil
}

func parseNumber(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, tallystick.Errorf(tallystick.Invalid, "%q is no number", s)
	}
	return v, nil
}

// parseMetric reads VALUE,n=ROWS with low=, high= and data=.
func parseMetric(s string) (m catalog.Metric, err error) {
	value, rest, _ := strings.Cut(s, ",")
	if m.Value, err = parseNumber(value); err != nil {
		return m, err
	}
	err = eachOption(rest, func(name, value string) (err error) {
		switch name {
		case "n":
			m.N, err = parseRows(value)
		case "low":
			m.Low, err = pointer(parseNumber(value))
		case "high":
			m.High, err = pointer(parseNumber(value))
		case "data":
			m.Data, err = tallystick.ParseDigest(value)
		default:
			err = tallystick.Errorf(tallystick.Invalid, "%q is not n, low, high or data", name)
		}
		return err
	})
	if err == nil && m.N == 0 {
		err = tallystick.Errorf(tallystick.Invalid, "n is missing: on how many rows it was measured").WithHint("write NAME=VALUE,n=ROWS")
	}
	return m, err
}

// parseThreshold reads above|below:VALUE with warn= and window=.
func parseThreshold(s string) (t catalog.Threshold, err error) {
	place, rest, _ := strings.Cut(s, ",")
	direction, value, ok := strings.Cut(place, ":")
	if !ok || direction != "above" && direction != "below" {
		return t, tallystick.Errorf(tallystick.Invalid, "%q says not on which side of which number", place).WithHint("write METRIC=above:VALUE or METRIC=below:VALUE")
	}
	t.Direction = direction
	if t.Fail, err = pointer(parseNumber(value)); err != nil {
		return t, err
	}
	return t, eachOption(rest, func(name, value string) (err error) {
		switch name {
		case "warn":
			t.Warn, err = pointer(parseNumber(value))
		case "window":
			t.Window = value
		default:
			err = tallystick.Errorf(tallystick.Invalid, "%q is not warn or window", name)
		}
		return err
	})
}

func pointer[T any](v T, err error) (*T, error) { return &v, err }

// eachOption calls set for each NAME=VALUE between commas.
func eachOption(s string, set func(name, value string) error) error {
	if s == "" {
		return nil
	}
	for option := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(option, "=")
		if !ok {
			return tallystick.Errorf(tallystick.Invalid, "%q is not NAME=VALUE", option)
		}
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}
