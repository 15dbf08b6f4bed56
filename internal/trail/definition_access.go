package trail

// The types of events of people, services and the secrets by which they are known. What they hold of
// a secret is a digest; who knows 256 random bits by their SHA-256 knows nothing.
const (
	UserAdded          Type = typePrefix + "user.added" + typeSuffix
	UserGranted        Type = typePrefix + "user.granted" + typeSuffix
	UserRevoked        Type = typePrefix + "user.revoked" + typeSuffix
	UserDisabled       Type = typePrefix + "user.disabled" + typeSuffix
	EnrolmentCreated   Type = typePrefix + "enrolment.created" + typeSuffix
	EnrolmentRedeemed  Type = typePrefix + "enrolment.redeemed" + typeSuffix
	BootstrapCreated   Type = typePrefix + "bootstrap.created" + typeSuffix
	BootstrapExchanged Type = typePrefix + "bootstrap.exchanged" + typeSuffix
	TokenCreated       Type = typePrefix + "token.created" + typeSuffix
	TokenRevoked       Type = typePrefix + "token.revoked" + typeSuffix
	SessionOpened      Type = typePrefix + "session.opened" + typeSuffix
	SessionClosed      Type = typePrefix + "session.closed" + typeSuffix
	LoginRefused       Type = typePrefix + "login.refused" + typeSuffix
)

func accessDefinitions() []Definition {
	user := public("user", Text, "id of the user")
	enrolment := public("enrolment", Text, "id of the link")
	secret := public("secret_digest", Digest, "digest of the secret, which is random")
	expires := public("expires_ms", Number, "when it ends, in milliseconds since 1970")
	credential := public("credential_digest", Digest, "digest of the salted hash of the passphrase")
	name := Field{Name: "name", Kind: Text, Required: true, Description: "name of the user"}
	return []Definition{
		{
			Type: UserAdded, Title: "User added", Action: "user.add",
			Description: "A person or a service was added. A person gets a link to enrol by.",
			Fields: []Field{
				user,
				public("kind", Text, "person or service"),
				public("roles", List, "what the user was granted"),
				name,
				optional("enrolment", Text, "id of the link").inTheOpen(),
				optional("secret_digest", Digest, "digest of the link's secret, which is random").inTheOpen(),
				optional("expires_ms", Number, "when the link ends, in milliseconds since 1970").inTheOpen(),
			},
		},
		{
			Type: UserGranted, Title: "Role granted", Action: "user.grant",
			Description: "A user was granted a role.",
			Fields:      []Field{user, public("role", Text, "the role")},
		},
		{
			Type: UserRevoked, Title: "Role revoked", Action: "user.revoke",
			Description: "A role was taken from a user.",
			Fields:      []Field{user, public("role", Text, "the role")},
		},
		{
			Type: UserDisabled, Title: "User disabled", Action: "user.disable",
			Description: "A user was shut out: sessions, links, own tokens and tokens that the user made have ended.",
			Fields:      []Field{user},
		},
		{
			Type: EnrolmentCreated, Title: "Enrolment link created", Action: "enrolment.create",
			Description: "A person got another one-time link to set a passphrase by; earlier ones have ended.",
			Fields:      []Field{enrolment, user, secret, expires},
		},
		{
			Type: EnrolmentRedeemed, Title: "Enrolment link redeemed", Action: "enrolment.redeem",
			Description: "A person set a passphrase by a one-time link; sessions from before have ended.",
			Fields:      []Field{enrolment, user, credential},
		},
		{
			Type: BootstrapCreated, Title: "Bootstrap secret created", Action: "bootstrap.create",
			Description: "While there was no admin, a secret was left on the server's disk for the first; earlier ones have ended.",
			Fields:      []Field{enrolment, secret, expires},
		},
		{
			Type: BootstrapExchanged, Title: "Bootstrap secret exchanged", Action: "bootstrap.exchange",
			Description: "Whoever read the secret on the server's disk became the first admin.",
			Fields:      []Field{enrolment, user, name, credential},
		},
		{
			Type: TokenCreated, Title: "Token created", Action: "token.create",
			Description: "A token was made, by which a program acts for a user.",
			Fields: []Field{
				public("token", Text, "id of the token"),
				user,
				public("minter", Text, "id of the user who made it, or local for the user of the server's machine"),
				optional("parent", Text, "id of the token by which it was made, if not in person").inTheOpen(),
				optional("scopes", List, "actions that it is for; absent: all that the user's roles allow").inTheOpen(),
				secret,
				expires,
				optional("label", Text, "what it is for"),
			},
		},
		{
			Type: TokenRevoked, Title: "Token revoked", Action: "token.revoke",
			Description: "A token was revoked, and with it those that were made by it.",
			Fields:      []Field{public("token", Text, "id of the token"), user},
		},
		{
			Type: SessionOpened, Title: "Session opened", Action: "session.open",
			Description: "A person signed in.",
			Fields:      []Field{public("session", Text, "id of the session"), user, secret, expires},
		},
		{
			Type: SessionClosed, Title: "Session closed", Action: "session.close",
			Description: "A person signed out, or was signed out.",
			Fields:      []Field{public("session", Text, "id of the session"), user},
		},
		{
			Type: LoginRefused, Title: "Login refused", Action: "login.refuse",
			Description: "Somebody was not let in. Many refusals in one minute are told together.",
			Fields: []Field{
				optional("user", Text, "id of the user, if there is one of the name or the secret").inTheOpen(),
				public("reason", Text, "unknown, passphrase, limited, disabled, token, session, enrolment or bootstrap"),
				public("count", Number, "refusals that this event tells of"),
			},
		},
	}
}
