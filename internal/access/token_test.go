package access

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick"
	"github.com/tallystick/tallystick/internal/state"
	"github.com/tallystick/tallystick/internal/trail"
)

func TestToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.add(t, "ada", Scientist, Validator)
	_, ada := b.login(t, "ada")
	token := b.mustToken(t, ada, NewToken{Scopes: []Action{VersionRegister, CatalogRead, CatalogRead}, Label: "laptop", Lasts: time.Hour})
	want := Principal{
		ID: u.ID, Name: "ada", Kind: KindPerson, Roles: []Role{Scientist, Validator},
		Scopes: []Action{CatalogRead, VersionRegister}, Token: token.ID(), Minter: u.ID,
	}
	b.clock.advance(cacheLasts) // since the person enrolled
	for range 2 {               // the second is from memory
		p := b.authenticate(t, token)
		if diff := cmp.Diff(want, p); diff != "" {
			t.Error(diff)
		}
		p.Roles[0] = Admin // which is this caller's copy
	}
	wantCode(t, "in scope", want.Allows(VersionRegister, trail.Resource{}), "")
	wantCode(t, "out of scope", want.Allows(ModelRegister, trail.Resource{}), tallystick.Forbidden)
	if err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens, err := b.Tokens(t.Context(), TokenFilter{User: u.ID, Live: true})
	used := b.clock.now()
	wantTokens := []Token{{
		ID: token.ID(), User: u.ID, Minter: u.ID, Label: "laptop", Scopes: want.Scopes, Created: noon, Expires: noon.Add(time.Hour), LastUsed: &used,
	}}
	if diff := cmp.Diff(wantTokens, tokens); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestTokenEnds presents tokens at the moments around their end, from memory and not.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	_, ada := b.login(t, "ada")
	for _, test := range []struct{ asked, lasts time.Duration }{
		{time.Minute, time.Minute}, {0, 90 * 24 * time.Hour}, {365 * 24 * time.Hour, 365 * 24 * time.Hour},
	} {
		token := b.mustToken(t, ada, NewToken{Lasts: test.asked})
		b.authenticate(t, token)
		b.clock.advance(test.lasts - time.Millisecond)
		b.authenticate(t, token)
		b.clock.advance(time.Millisecond)
		_, err := b.Authenticate(t.Context(), token.Reveal())
		wantCode(t, test.asked.String(), err, tallystick.Unauthorized)
		if err == nil || !strings.Contains(err.Error(), "ended at") {
			t.Errorf("%v does not say that it has ended", err)
		}
	}
	for _, lasts := range []time.Duration{-time.Hour, time.Second, 365*24*time.Hour + 1} {
		_, err := b.token(t, ada, NewToken{Lasts: lasts})
		wantCode(t, lasts.String(), err, tallystick.Invalid)
	}
}

// TestTokenMistyped tells a mistyped token from one that is not known, and gives neither away.
func TestTokenMistyped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	_, ada := b.login(t, "ada")
	token := b.mustToken(t, ada, NewToken{})
	forged := token
	forged.value[31] ^= 1
	text := []byte(token.Reveal())
	text[40] ^= 1
	for presented, want := range map[string]string{
		string(text):                              "mistyped or cut",
		forged.Reveal():                           "is not known",
		NewSecret(TokenSecret, noon).Reveal():     "is not known",
		NewSecret(SessionSecret, noon).Reveal():   "is not known",
		NewSecret(EnrolmentSecret, noon).Reveal(): "lets nobody in by itself",
		"Bearer " + token.Reveal():                "is no token",
		"":                                        "is no token",
	} {
		_, err := b.Authenticate(t.Context(), presented)
		wantCode(t, want, err, tallystick.Unauthorized)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), presented) && presented != "" {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if n := len(b.events(t, trail.LoginRefused)); n != 0 {
		t.Errorf("%d events of what proves nothing", n)
	}
}

// TestTokenRights asks for tokens in ways by which somebody would come to more than they have.
func TestTokenRights(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "root", Admin)
	b.add(t, "ada", Scientist)
	b.add(t, "ci", Service)
	b.invite(t, "grace")
	_, root := b.login(t, "root")
	_, ada := b.login(t, "ada")
	narrow := b.authenticate(t, b.mustToken(t, ada, NewToken{Scopes: []Action{CatalogRead, TokenCreate}, Lasts: time.Hour}))
	wide := b.authenticate(t, b.mustToken(t, ada, NewToken{Lasts: time.Hour}))
	manager := b.authenticate(t, b.mustToken(t, root, NewToken{Scopes: []Action{CatalogRead, TokenCreate}}))
	for _, test := range []struct {
		what string
		by   Principal
		n    NewToken
		want tallystick.Code
	}{
		{"for oneself", ada, NewToken{}, ""},
		{"for oneself, by name", ada, NewToken{User: "ada"}, ""},
		{"for another person", ada, NewToken{User: "root"}, tallystick.Forbidden},
		{"for another person, by an admin", root, NewToken{User: "ada"}, tallystick.Forbidden},
		{"for a service", ada, NewToken{User: "ci"}, tallystick.Forbidden},
		{"for a service, by an admin", root, NewToken{User: "ci", Scopes: []Action{VersionRegister}}, ""},
		{"for a service, by an admin's token that may not", manager, NewToken{User: "ci", Scopes: []Action{CatalogRead}}, tallystick.Forbidden},
		{"for a service, by the machine's user", Local("olga"), NewToken{User: "ci"}, ""},
		{"for nobody, by the machine's user", Local("olga"), NewToken{}, tallystick.Invalid},
		{"for who is not there", root, NewToken{User: "cl"}, tallystick.NotFound},
		{"for who has not enrolled", root, NewToken{User: "grace"}, tallystick.Forbidden},
		{"with a scope that is no action", ada, NewToken{Scopes: []Action{"model.destroy"}}, tallystick.Invalid},
		{"with a scope that the roles do not have", ada, NewToken{Scopes: []Action{UserManage}}, tallystick.Invalid},
		{"by a token, with its scope", narrow, NewToken{Scopes: []Action{CatalogRead}}, ""},
		{"by a token, with another scope", narrow, NewToken{Scopes: []Action{ModelRegister}}, tallystick.Forbidden},
		{"by a token with scopes, without", narrow, NewToken{}, tallystick.Forbidden},
		{"by a token without scopes", wide, NewToken{}, ""},
		{"by a token, longer than itself", wide, NewToken{Lasts: 2 * time.Hour}, tallystick.Forbidden},
		{"with a long label", ada, NewToken{Label: strings.Repeat("a", maxLabel+1)}, tallystick.Invalid},
	} {
		token, err := b.token(t, test.by, test.n)
		wantCode(t, test.what, err, test.want)
		if err != nil {
			continue
		}
		p := b.authenticate(t, token)
		want := test.by.ID
		if want == "olga" {
			want = "local"
		}
		if p.Minter != want {
			t.Errorf("%s: the minter is %s, want %s", test.what, p.Minter, want)
		}
		if test.by.Token != "" {
			tokens, err := b.Tokens(t.Context(), TokenFilter{User: p.ID, Limit: 1000})
			if err != nil {
				t.Fatal(err)
			}
			for _, is := range tokens {
				if is.ID == p.Token && (is.Parent != test.by.Token || is.Expires.After(noon.Add(time.Hour))) {
					t.Errorf("%s: %+v", test.what, is)
				}
			}
		}
	}
}

func TestTokensAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	_, ada := b.login(t, "ada")
	for range maxTokens {
		b.mustToken(t, ada, NewToken{Lasts: time.Hour})
	}
	_, err := b.token(t, ada, NewToken{})
	wantCode(t, "one more", err, tallystick.Conflict)
	b.clock.advance(time.Hour)
	b.mustToken(t, ada, NewToken{})
}

// TestRevokeToken revokes the second of four tokens, each made by the one before.
func TestRevokeToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.add(t, "ada", Scientist)
	b.add(t, "grace", Scientist)
	b.add(t, "root", Admin)
	_, ada := b.login(t, "ada")
	_, grace := b.login(t, "grace")
	_, root := b.login(t, "root")
	var chain []Secret
	for by := ada; len(chain) < 4; by = b.authenticate(t, chain[len(chain)-1]) {
		chain = append(chain, b.mustToken(t, by, NewToken{}))
	}
	revoke := func(by Principal, id string) (trail.Change, error) {
		return b.as(t, by, func(tx *state.Tx) (trail.Change, error) { return b.RevokeToken(tx, by, id) })
	}
	_, err := revoke(grace, chain[1].ID())
	wantCode(t, "somebody else's", err, tallystick.Forbidden)
	_, err = revoke(root, "tok_0000000000000000")
	wantCode(t, "one that is not there", err, tallystick.NotFound)
	_, err = revoke(root, chain[0].Reveal())
	wantCode(t, "the token in place of its id", err, tallystick.NotFound)
	if err == nil || strings.Contains(err.Error(), chain[0].Reveal()[21:30]) {
		t.Errorf("%v gives the token away", err)
	}
	b.remember(t, chain...)
	if change, err := revoke(ada, chain[1].ID()); change == nil || err != nil {
		t.Fatalf("%v, %v", change, err)
	}
	for i, token := range chain {
		_, err := b.Authenticate(t.Context(), token.Reveal())
		want := tallystick.Unauthorized
		if i == 0 {
			want = ""
		}
		wantCode(t, token.ID(), err, want)
	}
	late := ada // who was let in by a token just before it was revoked
	late.Token = chain[1].ID()
	_, err = b.token(t, late, NewToken{})
	wantCode(t, "a token by a revoked one", err, tallystick.Forbidden)
	if change, err := revoke(ada, chain[2].ID()); change != nil || err != nil {
		t.Errorf("revoked twice: %v, %v", change, err)
	}
	if change, err := revoke(root, chain[0].ID()); change == nil || err != nil {
		t.Errorf("by an admin: %v, %v", change, err)
	}
	live, err := b.Tokens(t.Context(), TokenFilter{Live: true})
	if err != nil || len(live) != 0 {
		t.Errorf("%v, %v", live, err)
	}
	if err := b.replay(t); err != nil {
		t.Error(err)
	}
}
