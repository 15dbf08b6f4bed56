package trail

// The types of events of commands that changed nothing.
const (
	CommandRefused Type = typePrefix + "command.refused" + typeSuffix
	TrailRead      Type = typePrefix + "trail.read" + typeSuffix
	ServerStarted  Type = typePrefix + "server.started" + typeSuffix
	ServerStopped  Type = typePrefix + "server.stopped" + typeSuffix
)

func registryDefinitions() []Definition {
	return []Definition{
		{
			Type: CommandRefused, Title: "Command refused", Action: "command.refuse",
			Description: "Somebody asked for what they may not do, or for what the state of things forbids.",
			Fields: []Field{
				public("command", Text, "what was asked for, such as model.register"),
				optional("model", Text, "name of the model that it concerned").inTheOpen(),
				optional("code", Text, "class of the error").inTheOpen(),
			},
		},
		{
			Type: TrailRead, Title: "Trail read", Action: "trail.read",
			Description: "Events were listed or exported.",
			Fields: []Field{
				optional("model", Text, "name of the model whose events were asked for").inTheOpen(),
				optional("filter", Object, "what was asked for"),
				optional("events", Number, "how many were given out").inTheOpen(),
			},
		},
		{
			Type: ServerStarted, Title: "Server started", Action: "server.start",
			Description: "A server opened the workspace for others.",
			Fields: []Field{
				public("release", Text, "version of the program"),
				optional("listen", Text, "address that it listens on"),
				optional("settings", Object, "its configuration, without secrets"),
			},
		},
		{
			Type: ServerStopped, Title: "Server stopped", Action: "server.stop",
			Description: "A server ended in good order. After one that did not, the next start follows a start.",
			Fields:      []Field{public("release", Text, "version of the program")},
		},
	}
}
