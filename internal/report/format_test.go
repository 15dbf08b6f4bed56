package report

import "testing"

func TestWindowName(t *testing.T) {
	t.Parallel()
	for label, want := range map[string]string{
		"rows 150001-155000": "rows 150,001-155,000", "2022-03": "2022-03", "rows 1-99999999999999999999": "rows 1-99999999999999999999", "": "",
	} {
		if got := windowName(Window{Label: label}); got != want {
			t.Errorf("windowName(%q) = %q, want %q", label, got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "one", "a rate of 44.8 % is more than 23.5 % of them", "averyveryverylongwordwithoutanyspaces and more", "名前名前名前名前名前 名前"} {
		for width := 4; width < 40; width++ {
			for _, line := range wrap(text, width) {
				if columns(line) > width && columns(line) > 6 {
					t.Errorf("wrap(%q, %d) has the line %q", text, width, line)
				}
				if len(line) > 0 && line[0] == '%' && width > 10 {
					t.Errorf("wrap(%q, %d) parts a number from its percent sign", text, width)
				}
			}
		}
	}
}
