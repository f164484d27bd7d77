package flussi_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
)

const keyText = "0123456789abcdef-secret"

func TestParseKeyTrimsWhiteSpace(t *testing.T) {
	want := must.Get(flussi.ParseKey(keyText))(t)
	for _, text := range []string{"  " + keyText + "\n", " \n" + keyText + "\r\n", "\u00a0" + keyText} {
		k := must.Get(flussi.ParseKey(text))(t)
		assert.Equal(t, want, k)
		assert.Equal(t, keyText, k.Reveal())
	}
}

func TestParseKeyRefusesWhatAHeaderCannotCarry(t *testing.T) {
	for text, want := range map[string]flussi.ValueError{
		"":              {Err: flussi.ErrEmpty},
		" \n":           {Err: flussi.ErrEmpty},
		"a b":           {Err: flussi.ErrCharacter, Position: 2},
		"a\nb":          {Err: flussi.ErrCharacter, Position: 2},
		"a\x00":         {Err: flussi.ErrCharacter, Position: 2},
		"chiavé":        {Err: flussi.ErrCharacter, Position: 6},
		" \u00a0chiavé": {Err: flussi.ErrCharacter, Position: 8},
		"\x7f":          {Err: flussi.ErrCharacter, Position: 1},
		"a\xff":         {Err: flussi.ErrCharacter, Position: 2},
	} {
		k, err := flussi.ParseKey(text)
		wrong := must.As[*flussi.ValueError](t, err)
		assert.ErrorIs(t, err, want.Err, "%q", text)
		assert.Equal(t, want.Position, wrong.Position, "%q", text)
		assert.True(t, k.IsZero())
		if len(text) > 2 {
			assert.NotContains(t, err.Error()+flussi.Explain(err), text)
		}
	}
}

func TestAKeyMasksItself(t *testing.T) {
	k := must.Get(flussi.ParseKey(keyText))(t)
	assert.Equal(t, "Key(***)", k.String())
	assert.Equal(t, "Key()", flussi.Key{}.String())
	assert.Equal(t, "flussi.Key(***)", fmt.Sprintf("%#v", k))
	assert.Equal(t, "Key(***)", k.LogValue().String())
	assert.JSONEq(t, `"Key(***)"`, string(must.Get(json.Marshal(k))(t)), "a key is not data")
	for _, v := range []any{k, &k, struct{ k flussi.Key }{k}, []flussi.Key{k}} {
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#"} {
				assertHides(t, fmt.Sprintf("%"+flags+string(verb), v), keyText, string(verb))
			}
		}
	}
	assert.True(t, flussi.Key{}.IsZero())
	assert.False(t, k.IsZero())
	assert.Zero(t, flussi.Key{}.Reveal())
}
