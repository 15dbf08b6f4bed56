package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var (
	quotedCommand = regexp.MustCompile("[`\"]tallystick ([^`\"]*)[`\"]")
	flagName      = regexp.MustCompile(`^--([a-z][a-z-]*)$`)
)

// Every command that a rule of the gate names is one that there is, with the flags that it
// is given.
func TestRulesNameCommandsThatExist(t *testing.T) {
	t.Parallel()
	root := new(app).root()
	files, err := filepath.Glob("../policy/packs/*/*.rego")
	if err != nil || len(files) == 0 {
		t.Fatalf("no rules: %v", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.rego") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// METADATA and strings break lines; a verb stands for a word.
		text := regexp.MustCompile(`\n#\s*`).ReplaceAllString(string(data), " ")
		for _, match := range quotedCommand.FindAllStringSubmatch(text, -1) {
			checkCommand(t, root, filepath.Base(file), strings.Fields(match[1]))
		}
	}
}

func checkCommand(t *testing.T, root *cobra.Command, file string, words []string) {
	t.Helper()
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root || cmd.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		if words[0] == "release" && !slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "release" }) {
			return // the commands of releases are not there: then no release is denied either
		}
		t.Errorf("%s: there is no command %q", file, strings.Join(words, " "))
		return
	}
	for _, word := range rest {
		if m := flagName.FindStringSubmatch(word); m != nil && cmd.Flag(m[1]) == nil {
			t.Errorf("%s: command %q has no flag %s", file, cmd.CommandPath(), word)
		}
	}
}
