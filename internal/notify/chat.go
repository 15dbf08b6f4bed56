package notify

import "strings"

// slackMessage is a message of Slack's incoming webhooks. What Slack would read as markup is written
// so that it means itself; text of strangers cannot call a channel.
func slackMessage(d Data) ([]byte, error) {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	text := escape(d.Sentence)
	if page := d.Links["page"]; page != "" {
		text += "\n<" + strings.NewReplacer("|", "%7C", ">", "%3E").Replace(page) + "|event " + escape(d.Event) + ">"
	} else {
		text += "\nevent " + escape(d.Event)
	}
	return encode(map[string]any{"text": text, "unfurl_links": false, "unfurl_media": false})
}

// teamsMessage is a message that a Teams workflow posts to a channel: an adaptive card. A run of text
// is not read as Markdown.
func teamsMessage(d Data) ([]byte, error) {
	run := func(text string, more map[string]any) map[string]any {
		inline := map[string]any{"type": "TextRun", "text": text}
		for name, value := range more {
			inline[name] = value
		}
		return map[string]any{"type": "RichTextBlock", "inlines": []any{inline}}
	}
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.2",
		"body": []any{run(d.Sentence, map[string]any{"weight": "Bolder"}), run("event "+d.Event, map[string]any{"isSubtle": true})},
	}
	if page := d.Links["page"]; page != "" {
		card["actions"] = []any{map[string]any{"type": "Action.OpenUrl", "title": "Open", "url": page}}
	}
	return encode(map[string]any{
		"type":        "message",
		"attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}},
	})
}
