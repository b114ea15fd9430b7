package ollama

import (
	"encoding/base64"
	"net/http"
)

// mime tells what an image is by its first bytes: Ollama sends it without a
// type. data is base64.
func mime(data string) string {
	head := data[:min(len(data), 64)]
	b, _ := base64.StdEncoding.DecodeString(head[:len(head)/4*4]) // what is no base64 has no type
	return http.DetectContentType(b)
}
