package objective

import (
	"testing"

	"github.com/tallystick/tallystick/internal/yamldoc/yamldoctest"
)

func FuzzParse(f *testing.F) {
	const head = "apiVersion: tallystick/v1\nkind: Objective\nname: a\nmodel: credit\ntarget: 99.5%\n"
	yamldoctest.Fuzz(f, Parse, yamldoctest.JSON[*Document],
		head+"indicator: {in_time: {limit: 200ms}}\nperiod: 7d\n",
		head+"indicator: {in_time: {limit: 1.5s}}\nwhere: [f_income >= 30000]\nrules: [{action: page, share: 2%, window: 1h}, {action: pause, share: 10%, window: 6h, short: 30m}]\n",
		head+"indicator: {answered: {}}\nversion: champion\nenvironment: production\ndelay: 5m\nmin_events: 100\n",
	)
}
