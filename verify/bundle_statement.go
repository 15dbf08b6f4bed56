package verify

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// openStatement verifies the envelope in the file of that name. trusted is false if only a key that
// the bundle itself claims could check the signature.
func (v *bundleVerifier) openStatement(name string) (s Statement, k Key, trusted bool, err error) {
	data, ok := v.archive.File(name)
	if !ok {
		return s, k, false, errors.New("is missing")
	}
	e, err := parseOwnEnvelope(data)
	if err != nil {
		return s, k, false, err
	}
	if e.PayloadType != StatementPayloadType {
		return s, k, false, fmt.Errorf("payload type is %.80q, want %s", e.PayloadType, StatementPayloadType)
	}
	k, trusted, ok = v.keys.find(RoleStatement, e.KeyID)
	if !ok {
		return s, k, false, fmt.Errorf("signed by key %.80q, which neither you nor the bundle's trust.json knows", e.KeyID)
	}
	pub, err := k.ecdsaKey()
	if err != nil {
		return s, k, false, err
	}
	if err := e.Verify(pub); err != nil {
		return s, k, false, err
	}
	if s, err = ParseStatement(e.Payload); err != nil {
		return s, k, false, err
	}
	if !k.signs(s.PredicateType) {
		return s, k, false, fmt.Errorf("key %.12s is not trusted for %s", k.ID, s.PredicateType)
	}
	return s, k, trusted, nil
}

func (v *bundleVerifier) checkStatements() error {
	v.bound = map[string]string{}
	for _, name := range v.manifest.Statements {
		if err := v.checkStatement(name); err != nil {
			return &namedError{"statement", name, err}
		}
	}
	return nil
}

func (v *bundleVerifier) checkStatement(name string) error {
	s, k, trusted, err := v.openStatement(name)
	if err != nil {
		return err
	}
	index, recorded := v.recorded[v.digests[name]]
	if !recorded {
		return fmt.Errorf("no event of the bundle records its digest %s", v.digests[name])
	}
	if !k.covers(index) {
		return fmt.Errorf("key %.12s is %s and not trusted for index %d", k.ID, k.Status, index)
	}
	for _, subject := range s.Subject {
		want, ok := v.digests[subject.Name]
		if !ok {
			continue
		}
		if subject.Digest["sha256"] != want.Hex() {
			return fmt.Errorf("says that %s has the sha256 %.64q, but it has %s", subject.Name, subject.Digest["sha256"], want.Hex())
		}
		v.bound[subject.Name] = name
	}
	if !trusted {
		v.result.unknownSigner("statement", name, "%s by key %.12s, which is not among those trusted", s.PredicateType, k.ID)
		return nil
	}
	v.result.ok("statement", name, "%s by %s, recorded as entry %d", s.PredicateType, k.Name, index)
	return nil
}

// checkReports asks that the report that machines read is bound by a recorded statement. The
// others may be bound by the manifest alone, which a line says.
func (v *bundleVerifier) checkReports() error {
	for _, name := range slices.Sorted(maps.Keys(v.digests)) {
		if !strings.HasPrefix(name, "reports/") {
			continue
		}
		statement, ok := v.bound[name]
		switch {
		case ok:
			v.result.ok("report", name, "has the digest that %s states", statement)
		case name == ReportFile:
			return &namedError{"report", name, errors.New("no statement of the bundle states its digest")}
		default:
			v.result.skip("report", name, "bound by the manifest alone, not by a recorded statement")
		}
	}
	return nil
}
