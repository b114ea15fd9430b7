package messages

import (
	"strconv"
	"strings"

	"keytray/proxy/dialect/field"
)

// function is what a model of another provider is told of a tool that
// Anthropic's models know by its type alone, and that the client runs: the
// same input comes of it.
type function struct{ description, schema string }

// clientTool is the function of such a tool; definition is the client's.
func clientTool(word, kind string, definition []byte) (function, bool) {
	switch word {
	case "bash":
		return function{bashText, bashSchema}, true
	case "text_editor":
		commands, undo := []string{"view", "create", "str_replace", "insert"}, ""
		if kind < "text_editor_20250429" { // later ones cannot undo
			commands = append(commands, "undo_edit")
			undo = " undo_edit takes the last change of a file back."
		}
		return function{editorText + undo, `{"type":"object","properties":{` + command(commands) + editorFields + `},"required":["command","path"]}`}, true
	case "memory":
		commands := []string{"view", "create", "str_replace", "insert", "delete", "rename"}
		return function{memoryText, `{"type":"object","properties":{` + command(commands) + memoryFields + `},"required":["command"]}`}, true
	case "computer":
		return computer(kind, definition), true
	}
	return function{}, false
}

func command(words []string) string { return choices("command", "What to do.", words) }

func choices(name, about string, words []string) string {
	return `"` + name + `":{"type":"string","enum":["` + strings.Join(words, `","`) + `"],"description":"` + about + `"}`
}

const (
	bashText = "Runs commands in a bash shell that stays open between calls, so that variables and the working folder are kept. " +
		"Give command to run one, or restart to begin with a fresh shell."
	bashSchema = `{"type":"object","properties":{` +
		`"command":{"type":"string","description":"The command to run. Needed unless restart is true."},` +
		`"restart":{"type":"boolean","description":"true starts the shell anew."}}}`

	editorText = "Views and edits text files. view shows a file with line numbers, or a folder's entries. create writes a new file. " +
		"str_replace replaces old_str, which must occur exactly once, by new_str. insert puts text after line insert_line."
	editorFields = `,"path":{"type":"string","description":"The absolute path of the file or folder."},` +
		`"view_range":{"type":"array","items":{"type":"integer"},"description":"For view: the first and the last line to show, from 1 on; -1 is the end."},` +
		`"file_text":{"type":"string","description":"For create: what the file holds."},` +
		`"old_str":{"type":"string","description":"For str_replace: the text to replace, exactly as it is in the file."},` +
		`"new_str":{"type":"string","description":"For str_replace: the text to put there."},` +
		`"insert_line":{"type":"integer","description":"For insert: the line to insert after; 0 is the start."},` +
		`"insert_text":{"type":"string","description":"For insert: the text to insert."}`

	memoryText = "Keeps notes in files under /memories that last beyond this conversation. Look there first for what is known already. " +
		"view shows a file or a folder, create writes a file, str_replace and insert edit one, delete removes one, rename moves one."
	memoryFields = `,"path":{"type":"string","description":"The file or folder, under /memories."},` +
		`"view_range":{"type":"array","items":{"type":"integer"},"description":"For view: the first and the last line to show."},` +
		`"file_text":{"type":"string","description":"For create: what the file holds."},` +
		`"old_str":{"type":"string","description":"For str_replace: the text to replace."},` +
		`"new_str":{"type":"string","description":"For str_replace: the text to put there."},` +
		`"insert_line":{"type":"integer","description":"For insert: the line to insert after; 0 is the start."},` +
		`"insert_text":{"type":"string","description":"For insert: the text to insert."},` +
		`"old_path":{"type":"string","description":"For rename: where the file is."},` +
		`"new_path":{"type":"string","description":"For rename: where it shall be."}`

	computerText = "Uses the mouse and the keyboard of a computer and sees its screen. Take a screenshot first, and after each step that changes the screen. " +
		"Click in the middle of what you want to hit."
	computerFields = `,"coordinate":{"type":"array","items":{"type":"integer"},"description":"x and y in pixels, from the top left."},` +
		`"start_coordinate":{"type":"array","items":{"type":"integer"},"description":"For left_click_drag: where to start."},` +
		`"text":{"type":"string","description":"For type: the text. For key and hold_key: the keys, as ctrl+s. For clicks: a key to hold meanwhile."},` +
		`"scroll_direction":{"type":"string","enum":["up","down","left","right"],"description":"For scroll."},` +
		`"scroll_amount":{"type":"integer","description":"For scroll: how many steps."},` +
		`"duration":{"type":"number","description":"For hold_key and wait: seconds."}`
)

// computer has more actions from version to version.
func computer(kind string, definition []byte) function {
	actions := []string{"screenshot", "cursor_position", "mouse_move", "left_click", "right_click", "middle_click", "double_click", "left_click_drag", "key", "type"}
	fields := computerFields
	if kind >= "computer_20250124" {
		actions = append(actions, "triple_click", "left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait")
	}
	if kind >= "computer_20251124" && string(field.Of(definition, "enable_zoom")) == "true" {
		actions = append(actions, "zoom")
		fields += `,"region":{"type":"array","items":{"type":"integer"},"description":"For zoom: left, top, right and bottom of what to show."}`
	}
	text := computerText
	if w, h := pixels(definition, "display_width_px"), pixels(definition, "display_height_px"); w != "" && h != "" {
		text += " The screen has " + w + " by " + h + " pixels."
	}
	return function{text, `{"type":"object","properties":{` + choices("action", "What to do.", actions) + fields + `},"required":["action"]}`}
}

func pixels(definition []byte, key string) string {
	n, err := strconv.Atoi(string(field.Of(definition, key)))
	if err != nil {
		return ""
	}
	return strconv.Itoa(n)
}
