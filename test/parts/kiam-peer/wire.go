package main

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

const service = "kiam.KiamService"

// codec passes messages through as bytes, so that tests see them as they are on the wire. It takes the place of the
// one for protocol buffers, under the same content type.
type codec struct{}

func (codec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (codec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (codec) String() string { return "proto" }
func (codec) Name() string   { return "proto" }

// texts encodes a message whose fields 1, 2, ... are texts. As in proto3, empty ones are left out.
func texts(fields ...string) []byte {
	message := []byte{}
	for index, field := range fields {
		if field == "" {
			continue
		}
		message = protowire.AppendTag(message, protowire.Number(index+1), protowire.BytesType)
		message = protowire.AppendString(message, field)
	}
	return message
}

// field reads one text of a message; "" if it is not there.
func field(message []byte, wanted protowire.Number) (string, error) {
	for len(message) > 0 {
		number, kind, length := protowire.ConsumeTag(message)
		if length < 0 {
			return "", protowire.ParseError(length)
		}
		message = message[length:]
		if number == wanted {
			if kind != protowire.BytesType {
				return "", errors.New("a field is not a text")
			}
			value, length := protowire.ConsumeString(message)
			return value, protowire.ParseError(length)
		}
		length = protowire.ConsumeFieldValue(number, kind, message)
		if length < 0 {
			return "", protowire.ParseError(length)
		}
		message = message[length:]
	}
	return "", nil
}
