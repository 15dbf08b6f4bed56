package demo

import (
	"context"
	"fmt"
	"os"
)

// The people of the lender, each with the one role that the name says; the chair is a second approver.
const (
	admin     = "admin"
	author    = "author"
	validator = "validator"
	approver  = "approver"
	chair     = "chair"
	operator  = "operator"
	auditor   = "auditor"
)

// people makes the first administrator, who adds the others; each redeems a link and signs in.
func (s *stage) people(ctx context.Context) (sentence, page string, err error) {
	secret, err := s.passphrase(admin)
	if err != nil {
		return "", "", err
	}
	if err := s.all(ctx, admin, [][]string{
		{"user", "bootstrap", admin, "--passphrase-file", secret, "--secret-file", s.path("workspace", "bootstrap-secret")},
		{"login", admin, "--passphrase-file", secret},
	}); err != nil {
		return "", "", err
	}
	roles := [][2]string{{author, "scientist"}, {validator, "validator"}, {approver, "approver"}, {chair, "approver"}, {operator, "operator"}, {auditor, "auditor"}}
	for _, user := range roles {
		if err := s.enrol(ctx, user[0], user[1]); err != nil {
			return "", "", err
		}
	}
	secret = s.path("people", operator, "webhook-secret")
	if err := s.all(ctx, operator, [][]string{
		{"env", "set", "production", "--strictness", "gated", "--position", "10"},
		{
			"notify", "add", "risk-desk", "--channel", "webhook", "--url", "http://" + s.told.address + "/", "-o", secret,
			"--topic", "release-requested,release-denied,release-promoted,out-of-band,refused",
		},
	}); err != nil {
		return "", "", err
	}
	raw, err := os.ReadFile(secret)
	if err != nil {
		return "", "", err
	}
	return fmt.Sprintf("%d people sign in, one role each. Production is gated, and a signed webhook tells the risk desk.", len(roles)+1), "/", s.told.believe(string(raw))
}

// enrol adds a person, who chooses a passphrase and signs in.
func (s *stage) enrol(ctx context.Context, name, role string) error {
	secret, err := s.passphrase(name)
	if err != nil {
		return err
	}
	link := s.path("people", name, "first-link")
	if err := s.must(ctx, admin, nil, "user", "add", name, "--role", role, "-o", link); err != nil {
		return err
	}
	return s.all(ctx, name, [][]string{
		{"user", "redeem", "--link-file", link, "--passphrase-file", secret},
		{"login", name, "--passphrase-file", secret},
	})
}
