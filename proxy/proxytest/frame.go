package proxytest

import "bytes"

// frame is one event of a stream: a server-sent event, a line of NDJSON or an element of Gemini's array.
type frame struct {
	event   string // the SSE event's name, if the dialect names it
	data    []byte
	comment string // an SSE comment, without data
	end     bool   // the stop event or what follows it: a stream without it is cut
}

// render writes the frames as bytes, each by itself.
func (a *answer) render(frames []frame) [][]byte {
	var pieces [][]byte
	for i, f := range frames {
		pieces = append(pieces, a.renderFrame(f, i == 0, i == len(frames)-1))
	}
	return pieces
}

func (a *answer) renderFrame(f frame, first, last bool) []byte {
	var out bytes.Buffer
	switch {
	case a.dialect == Ollama:
		out.Write(f.data)
		out.WriteByte('\n')
		return out.Bytes()
	case !a.sse:
		if first {
			out.WriteByte('[')
		} else {
			out.WriteString(",\r\n")
		}
		out.Write(f.data)
		if last && f.end {
			out.WriteByte(']')
		}
		return out.Bytes()
	}
	newline, gap := "\n", " "
	if a.CRLF || a.dialect == Gemini {
		newline = "\r\n"
	}
	if a.Tight {
		gap = ""
	}
	if f.comment != "" {
		out.WriteString(":" + gap + f.comment + newline)
	}
	if f.event != "" {
		out.WriteString("event:" + gap + f.event + newline)
	}
	if f.data != nil {
		out.WriteString("data:" + gap)
		out.Write(f.data)
		out.WriteString(newline)
	}
	out.WriteString(newline)
	return out.Bytes()
}

// ping is a keep-alive frame of the dialect's kind.
func (a *answer) ping() frame {
	switch a.dialect {
	case Messages:
		return frame{event: "ping", data: []byte(`{"type": "ping"}`)}
	case Ollama:
		return frame{data: encode(a.ollamaChunk(object{"role", "assistant", "content", ""}))}
	default:
		return frame{comment: "ping"}
	}
}

// failure is the error as a frame.
func (a *answer) failure() frame {
	f := frame{data: ErrorBody(a.dialect, a.failed)}
	if a.dialect == Messages {
		f.event = "error"
	}
	return f
}

// withFault changes the frames as the script's fault says, and tells how the stream ends.
func (a *answer) withFault(frames []frame) ([]frame, End) {
	stop := len(frames)
	for i, f := range frames {
		if f.end {
			stop = i
			break
		}
	}
	at := min(a.After, stop)
	switch a.Fault {
	case FaultInside:
		return []frame{a.failure()}, EndClean
	case FaultError:
		return append(frames[:at:at], a.failure()), EndClean
	case FaultGarbage:
		garbage := frame{data: []byte(`{"choices": [{"del` + "\xff\x00" + `<b>`)}
		return append(append(frames[:at:at], garbage), frames[at:]...), EndClean
	case FaultCut:
		return frames[:min(at+1, len(frames))], EndAbort
	case FaultFin:
		return frames[:at], EndClean
	case FaultStall:
		return frames[:at], EndHang
	case FaultNoDone:
		if n := len(frames); a.dialect == Chat {
			return frames[:n-1], EndClean
		}
	case FaultTrailing:
		if stop > 1 {
			return append(frames[:len(frames):len(frames)], frames[stop-1]), EndClean
		}
	}
	return frames, EndClean
}

// withPings puts a keep-alive after every so many frames before the end.
func (a *answer) withPings(frames []frame) []frame {
	if a.Ping <= 0 || !a.sse {
		return frames
	}
	var out []frame
	for i, f := range frames {
		out = append(out, f)
		if (i+1)%a.Ping == 0 && !f.end {
			out = append(out, a.ping())
		}
	}
	return out
}
