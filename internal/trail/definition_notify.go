package trail

// The types of events of subscriptions, by which people and programs are told of events. Addresses and
// secrets are not on the trail; digests of them are.
const (
	SubscriptionCreated Type = typePrefix + "subscription.created" + typeSuffix
	SubscriptionUpdated Type = typePrefix + "subscription.updated" + typeSuffix
	SubscriptionMarked  Type = typePrefix + "subscription.marked" + typeSuffix
	SubscriptionRotated Type = typePrefix + "subscription.rotated" + typeSuffix
	SubscriptionRemoved Type = typePrefix + "subscription.removed" + typeSuffix
	SubscriptionTested  Type = typePrefix + "subscription.tested" + typeSuffix
	SubscriptionRetried Type = typePrefix + "subscription.retried" + typeSuffix
	SubscriptionSkipped Type = typePrefix + "subscription.skipped" + typeSuffix
)

func notifyDefinitions() []Definition {
	subscription := public("subscription", Text, "id of the subscription")
	name := public("name", Text, "name of the subscription")
	terms := []Field{
		public("topics", List, "what is told: topics, types of events or families of them"),
		optional("models", List, "models of which it is told; absent: all").inTheOpen(),
		optional("environments", List, "environments of which it is told; absent: all").inTheOpen(),
		public("host", Text, "host of the address"),
		public("address", Text, "id of the file that keeps the address"),
		optional("address_digest", Digest, "digest of the address"),
		optional("template", Text, "template of the text"),
	}
	return []Definition{
		{
			Type: SubscriptionCreated, Title: "Subscription created", Action: "subscription.create",
			Description: "From here on somebody is told of events.",
			Fields: append([]Field{
				subscription, name,
				public("channel", Text, "webhook, email, slack or teams"),
				optional("secret", Text, "id of the secret that signs").inTheOpen(),
				optional("secret_digest", Digest, "digest of the secret, which is random").inTheOpen(),
			}, terms...),
		},
		{
			Type: SubscriptionUpdated, Title: "Subscription updated", Action: "subscription.update",
			Description: "What a subscription tells, or where, was changed; what is said here holds from now on.",
			Fields:      append([]Field{subscription, name}, terms...),
		},
		{
			Type: SubscriptionMarked, Title: "Subscription marked", Action: "subscription.mark",
			Description: "A subscription was paused or resumed. What happens meanwhile is told later.",
			Fields:      []Field{subscription, name, public("state", Text, "active or paused")},
		},
		{
			Type: SubscriptionRotated, Title: "Subscription's secret rotated", Action: "subscription.rotate",
			Description: "A subscription signs with a new secret, and with the one before for a while.",
			Fields: []Field{
				subscription, name,
				public("secret", Text, "id of the new secret"),
				public("secret_digest", Digest, "digest of the new secret, which is random"),
				public("before_ends_ms", Number, "when the one before ends, in milliseconds since 1970"),
			},
		},
		{
			Type: SubscriptionRemoved, Title: "Subscription removed", Action: "subscription.remove",
			Description: "A subscription has ended; what it had not told yet is not told.",
			Fields:      []Field{subscription, name},
		},
		{
			Type: SubscriptionTested, Title: "Subscription tested", Action: "subscription.test",
			Description: "Somebody tests a subscription, which is told of this event whatever its topics.",
			Fields:      []Field{subscription, name},
		},
		{
			Type: SubscriptionRetried, Title: "Subscription retried", Action: "subscription.retry",
			Description: "Somebody had a notification tried again at once.",
			Fields:      []Field{subscription, name},
		},
		{
			Type: SubscriptionSkipped, Title: "Notification skipped", Action: "subscription.skip",
			Description: "A notification that its receiver did not take was given up, so that those behind it go on.",
			Fields: []Field{
				subscription, name,
				public("number", Number, "number of the notification"),
				public("event", Text, "id of the event that was to be told"),
				public("sequence", Number, "place of that event on the trail"),
			},
		},
	}
}
