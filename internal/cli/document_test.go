package cli

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestDocumentedCommands checks that every command that is shown to people exists, with its flags and
// as many arguments: in the documents, and in the examples of the help.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	shown := map[string][]string{}
	paths, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shown[filepath.Base(path)] = commandLines(string(text))
	}
	if len(shown["registry.md"]) < 20 {
		t.Errorf("only %d commands found in registry.md", len(shown["registry.md"]))
	}
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		shown[cmd.CommandPath()] = commandLines(cmd.Example)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk((&app{}).root())
	for where, lines := range shown {
		for _, line := range lines {
			if err := parses(line); err != nil {
				t.Errorf("%s: %s: %v", where, line, err)
			}
		}
	}
}

// commandLines returns the command lines of a text, with those that go on put together.
func commandLines(text string) (lines []string) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	text = strings.NewReplacer("; tallystick ", "\ntallystick ", " && ", "\n").Replace(text)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if _, command, ok := strings.Cut(" "+line, " tallystick "); ok && shellLine.MatchString(line) {
			command, _, _ = strings.Cut(command, " #")
			for _, end := range []string{" | ", " > ", " 3<"} {
				command, _, _ = strings.Cut(command, end)
			}
			lines = append(lines, command)
		}
	}
	return lines
}

// shellLine is a line that is a command, be it with a variable in front.
var shellLine = regexp.MustCompile(`^([A-Z_]+=\S+ )?tallystick `)

var shellWord = regexp.MustCompile(`(?:"[^"]*"|'[^']*'|\S)+`)

// parses checks the words of a command line against the flags and arguments of the command.
func parses(line string) error {
	var words []string
	for _, word := range shellWord.FindAllString(line, -1) {
		words = append(words, strings.NewReplacer(`"`, "", `'`, "").Replace(word))
	}
	root := (&app{}).root()
	root.SetOut(io.Discard)
	cmd, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if words[len(words)-1] == "..." {
		return nil
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// TestScriptedCommands checks that every command is run by a script.
func TestScriptedCommands(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var run strings.Builder
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				run.WriteString(line)
			}
		}
	}
	script := run.String()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		name := strings.TrimPrefix(cmd.CommandPath(), "tallystick ")
		if cmd.Runnable() && !cmd.HasSubCommands() && !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(script) {
			t.Errorf("no script runs tallystick %s: add it to one in testdata", name)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk((&app{}).root())
}
