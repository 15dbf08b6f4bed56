package access

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestAddUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada@example.org", Scientist)
	link := NewSecret(EnrolmentSecret, noon)
	for name, test := range map[string]struct {
		n    NewUser
		want tallystick.Code
	}{
		"a person of two roles":          {NewUser{Name: "Grace.Hopper", Roles: []Role{Validator, Viewer, Validator}, Link: link}, ""},
		"a service":                      {NewUser{Name: "ci", Roles: []Role{Service}}, ""},
		"a name that is taken":           {NewUser{Name: "ADA@example.org", Roles: []Role{Viewer}, Link: link}, tallystick.Conflict},
		"no role":                        {NewUser{Name: "b", Link: link}, tallystick.Invalid},
		"an unknown role":                {NewUser{Name: "b", Roles: []Role{"root"}, Link: link}, tallystick.Invalid},
		"a service that approves":        {NewUser{Name: "b", Roles: []Role{Service, Approver}, Link: link}, tallystick.Invalid},
		"no name":                        {NewUser{Roles: []Role{Viewer}, Link: link}, tallystick.Invalid},
		"a name that looks like another": {NewUser{Name: "аda", Roles: []Role{Viewer}, Link: link}, tallystick.Invalid}, // a Cyrillic letter
		"a name with a blank":            {NewUser{Name: "ada lovelace", Roles: []Role{Viewer}, Link: link}, tallystick.Invalid},
		"a name with a line end":         {NewUser{Name: "ada\n", Roles: []Role{Viewer}, Link: link}, tallystick.Invalid},
		"a name that is an id":           {NewUser{Name: newID(userPrefix, noon), Roles: []Role{Viewer}, Link: link}, tallystick.Invalid},
		"the name of the machine's user": {NewUser{Name: "local", Roles: []Role{Viewer}, Link: link}, tallystick.Invalid},
		"a name that is too long":        {NewUser{Name: strings.Repeat("a", 129), Roles: []Role{Viewer}, Link: link}, tallystick.Invalid},
		"a person without a link":        {NewUser{Name: "b", Roles: []Role{Viewer}}, tallystick.Internal},
	} {
		_, err := b.as(t, Local("root"), func(tx *state.Tx) (trail.Change, error) {
			c, err := b.AddUser(tx, test.n)
			if name == "a person of two roles" && err == nil {
				want := []Role{Viewer, Validator}
				if diff := cmp.Diff(want, c.(*UserAdded).Roles); diff != "" {
					t.Error(diff)
				}
			}
			return c, err
		})
		wantCode(t, name, err, test.want)
	}
	for name, want := range map[string]User{
		"grace.hopper": {Name: "grace.hopper", Kind: KindPerson, State: Invited, Roles: []Role{Viewer, Validator}, Created: noon},
		"ci":           {Name: "ci", Kind: KindService, State: Active, Roles: []Role{Service}, Created: noon},
	} {
		u, err := b.User(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		want.ID = u.ID
		if diff := cmp.Diff(want, u); diff != "" || !isID(userPrefix, u.ID) {
			t.Error(diff)
		}
		if byID, err := b.User(t.Context(), u.ID); err != nil || byID.Name != name {
			t.Errorf("%+v, %v", byID, err)
		}
	}
}

// TestLastAdmin takes away what is left of the admins, in each way.
func TestLastAdmin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Admin, Scientist)
	invited := NewSecret(EnrolmentSecret, noon)
	b.must(t, func(tx *state.Tx) (trail.Change, error) {
		return b.AddUser(tx, NewUser{Name: "grace", Roles: []Role{Admin}, Link: invited}) // who cannot come in yet
	})
	revoke := func(name string) func(tx *state.Tx) (trail.Change, error) {
		return func(tx *state.Tx) (trail.Change, error) { return b.Revoke(tx, name, Admin) }
	}
	disable := func(name string) func(tx *state.Tx) (trail.Change, error) {
		return func(tx *state.Tx) (trail.Change, error) { return b.Disable(tx, name) }
	}
	_, err := b.as(t, Local("root"), revoke("ada"))
	wantCode(t, "revoke the last admin", err, tallystick.Conflict)
	_, err = b.as(t, Local("root"), disable("ada"))
	wantCode(t, "disable the last admin", err, tallystick.Conflict)
	if _, err := b.Redeem(t.Context(), invited.Reveal(), goodPassphrase); err != nil {
		t.Fatal(err)
	}
	b.must(t, revoke("ada"))
	_, err = b.as(t, Local("root"), revoke("grace"))
	wantCode(t, "revoke the other, who is the last now", err, tallystick.Conflict)
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Revoke(tx, "ada", Scientist) })
	if u, err := b.User(t.Context(), "ada"); err != nil || len(u.Roles) != 0 {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestGrantAndRevoke(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Viewer)
	b.add(t, "ci", Service)
	b.add(t, "alan", Viewer)
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Disable(tx, "alan") })
	_, p := b.login(t, "ada")
	if p.Allows(ModelRegister, trail.Resource{}) == nil {
		t.Fatal("a viewer may register")
	}
	for _, test := range []struct {
		what   string
		revoke bool
		user   string
		role   Role
		want   tallystick.Code
		change bool
	}{
		{"grant", false, "ada", Scientist, "", true},
		{"grant again", false, "ada", Scientist, "", false},
		{"grant a person what is a program's", false, "ada", Service, tallystick.Invalid, false},
		{"grant a program what is a person's", false, "ci", Approver, tallystick.Invalid, false},
		{"grant a disabled user", false, "alan", Scientist, tallystick.Conflict, false},
		{"grant what is no role", false, "ada", "root", tallystick.Invalid, false},
		{"grant nobody", false, "adda", Scientist, tallystick.NotFound, false},
		{"revoke", true, "ada", Viewer, "", true},
		{"revoke again", true, "ada", Viewer, "", false},
		{"revoke what is no role", true, "ada", "root", tallystick.Invalid, false},
		{"revoke from nobody", true, "usr_0000000000000000", Viewer, tallystick.NotFound, false},
	} {
		change, err := b.as(t, Local("root"), func(tx *state.Tx) (trail.Change, error) {
			if test.revoke {
				return b.Revoke(tx, test.user, test.role)
			}
			return b.Grant(tx, test.user, test.role)
		})
		wantCode(t, test.what, err, test.want)
		if err == nil && (change != nil) != test.change {
			t.Errorf("%s: %v", test.what, change)
		}
		if test.user == "adda" && !strings.Contains(err.Error(), "ada") {
			t.Errorf("%v names nobody who is near", err)
		}
	}
	u, err := b.User(t.Context(), "ada")
	if err != nil || !slices.Equal(u.Roles, []Role{Scientist}) {
		t.Errorf("%+v, %v", u, err)
	}
}

// TestRightsCountAtOnce asks by a session that is used all the time while roles come and go.
func TestRightsCountAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "root", Admin)
	b.add(t, "ada", Viewer)
	session, _ := b.login(t, "ada")
	may := func() bool { return b.authenticate(t, session).Allows(ModelRegister, trail.Resource{}) == nil }
	for i := range 20 {
		if may() {
			t.Fatalf("round %d: the right is there before it is granted", i)
		}
		b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Grant(tx, "ada", Scientist) })
		if i%5 == 0 {
			b.remember(t, session)
		}
		if !may() {
			t.Fatalf("round %d: the right is not there once it is granted", i)
		}
		b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Revoke(tx, "ada", Scientist) })
		if i%3 == 0 {
			b.clock.advance(cacheLasts)
			continue
		}
		b.clock.advance(cacheLasts / 3)
	}
}

// TestDisable shuts out a person who has used every way in.
func TestDisable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "root", Admin)
	b.add(t, "ci", Service)
	u := b.add(t, "ada", Admin)
	session, ada := b.login(t, "ada")
	own := b.mustToken(t, ada, NewToken{})
	child := b.mustToken(t, b.authenticate(t, own), NewToken{})
	service := b.mustToken(t, ada, NewToken{User: "ci"})
	_, root := b.login(t, "root")
	others := b.mustToken(t, root, NewToken{User: "ci"})
	link := NewSecret(EnrolmentSecret, b.clock.now())
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Enrol(tx, "ada", link) })
	b.remember(t, session, own, child, service, others)
	b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Disable(tx, "ada") })
	for name, s := range map[string]Secret{"session": session, "token": own, "token of the token": child, "token that she made for a service": service} {
		_, err := b.Authenticate(t.Context(), s.Reveal())
		wantCode(t, name, err, tallystick.Unauthorized)
	}
	b.authenticate(t, others)
	_, err := b.Redeem(t.Context(), link.Reveal(), goodPassphrase)
	wantCode(t, "link", err, tallystick.Conflict)
	_, _, err = b.Login(t.Context(), "ada", goodPassphrase)
	wantCode(t, "passphrase", err, tallystick.Unauthorized)
	if change := b.must(t, func(tx *state.Tx) (trail.Change, error) { return b.Disable(tx, "ada") }); change != nil {
		t.Errorf("disabled twice: %v", change)
	}
	_, err = b.as(t, root, func(tx *state.Tx) (trail.Change, error) { return b.Enrol(tx, u.ID, link) })
	wantCode(t, "another link", err, tallystick.Conflict)
}

func TestUsersPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var names []string
	for i := range 25 {
		name := string(rune('z' - i))
		role := Viewer
		if i%5 == 0 {
			role = Auditor
		}
		b.clock.advance(1e6)
		b.must(t, func(tx *state.Tx) (trail.Change, error) {
			return b.AddUser(tx, NewUser{Name: name, Roles: []Role{role, Scientist}, Link: NewSecret(EnrolmentSecret, b.clock.now())})
		})
		names = append(names, name)
	}
	var got []string
	for after := ""; ; {
		users, err := b.Users(t.Context(), UserFilter{After: after, Limit: 7})
		if err != nil {
			t.Fatal(err)
		}
		if len(users) == 0 {
			break
		}
		for _, u := range users {
			got = append(got, u.Name)
			after = u.ID
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Error(diff)
	}
	auditors, err := b.Users(t.Context(), UserFilter{Role: Auditor, State: Invited})
	if err != nil || len(auditors) != 5 || !slices.Equal(auditors[0].Roles, []Role{Scientist, Auditor}) {
		t.Errorf("%+v, %v", auditors, err)
	}
}
