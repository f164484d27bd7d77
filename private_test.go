package flussi_test

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/leaktest"
	"github.com/flussi-go/flussi/internal/must"
)

// personal is what every masked value offers.
type personal interface {
	comparable
	fmt.Stringer
	fmt.Formatter
	slog.LogValuer
	driver.Valuer
	encoding.TextMarshaler
	IsZero() bool
	Reveal() string
}

func TestPersonalValuesMaskThemselves(t *testing.T) {
	t.Run("FiscalCode", func(t *testing.T) { masks(t, "FiscalCode", "MSCMHL68P18H211K", flussi.ParseFiscalCode) })
	t.Run("NoticeNumber", func(t *testing.T) { masks(t, "NoticeNumber", "301005100001400678", flussi.ParseNoticeNumber) })
	t.Run("Text", func(t *testing.T) {
		masks(t, "Text", "Gentile Mario, la rata scade", func(s string) (flussi.Text, error) { return flussi.NewText(s), nil })
	})
	t.Run("IUV", func(t *testing.T) { masks(t, "IUV", "01005100001400678", flussi.ParseIUV) })
}

func masks[T personal](t *testing.T, name, text string, parse func(string) (T, error)) {
	value := must.Get(parse(text))(t)
	var none T
	mask := name + "(***)"

	assert.Equal(t, mask, fmt.Sprintf("%v", value))
	assert.Equal(t, mask, fmt.Sprintf("%+v", value))
	assert.Equal(t, mask, fmt.Sprintf("%s", value))
	assert.Equal(t, `"`+mask+`"`, fmt.Sprintf("%q", value))
	assert.Equal(t, "flussi."+mask, fmt.Sprintf("%#v", value))
	assert.Equal(t, mask, fmt.Sprintf("%.3s", value), "a mask is never cut")
	assert.Equal(t, mask, fmt.Sprintf("%#s", value))
	assert.Equal(t, name+"()", none.String(), "that there is no value may be seen")
	scan := must.As[*flussi.ValueError](t, any(&none).(sql.Scanner).Scan(7))
	assert.Equal(t, name, scan.Type)

	// Every verb, and every way in which a value can sit in another.
	type exported struct{ Value T }
	type hidden struct{ value T }
	type pointing struct{ value *T }
	for verb := 'A'; verb <= 'z'; verb++ {
		for _, flags := range []string{"", "+", "#", "-40", "040", " ", ".2"} {
			format := "%" + flags + string(verb)
			for _, v := range []any{
				value, &value, exported{value}, hidden{value}, &hidden{value}, pointing{&value},
				[]T{value}, map[T]T{value: value}, map[string]any{"k": hidden{value}}, [1]hidden{{value}},
			} {
				assertHides(t, fmt.Sprintf(format, v), text, format)
			}
		}
	}
	assertHides(t, fmt.Sprint(value, hidden{value}), text, "Sprint")
	assertHides(t, fmt.Errorf("wrapped: %v", hidden{value}).Error(), text, "Errorf")

	for _, handler := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var log bytes.Buffer
		slog.New(handler(&log)).Info("message", "value", value, "group", slog.GroupValue(slog.Any("inner", value)))
		assertHides(t, log.String(), text, "slog")
		assert.Equal(t, 2, strings.Count(log.String(), mask), log.String())
	}

	// A JSON log marshals what is not plain, unless it is told not to.
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{ReplaceAttr: flussi.MaskAttr}))
	logger.Info("message", "value", value, "struct", exported{value}, "pointer", &exported{value}, "slice", []T{value},
		"map", map[T]T{value: value}, "reading", flussi.Reading[T]{Value: value}, slog.Group("group", "inner", []exported{{value}}),
		"error", errors.New("kept"), "number", 7, "nothing", nil)
	assertHides(t, log.String(), text, "slog with MaskAttr")
	must.Contain(t, log.String(), `"error":"kept","number":7,"nothing":null`, `"struct":"{Value:`+mask+`}"`)

	t.Run("yet marshal whole", func(t *testing.T) {
		data := must.Get(json.Marshal(exported{value}))(t)
		assert.JSONEq(t, `{"Value":"`+text+`"}`, string(data))
		var back exported
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, value, back.Value)

		data = must.Get(xml.Marshal(exported{value}))(t)
		assert.Contains(t, string(data), text)

		data = must.Get(json.Marshal(map[T]int{value: 1}))(t)
		assert.JSONEq(t, `{"`+text+`":1}`, string(data))
		var keys map[T]int
		require.NoError(t, json.Unmarshal(data, &keys))
		assert.Equal(t, 1, keys[value])

		assert.Equal(t, text, must.Get(value.Value())(t))
		for _, column := range []any{text, []byte(text)} {
			var scanned T
			require.NoError(t, any(&scanned).(sql.Scanner).Scan(column))
			assert.Equal(t, value, scanned)
		}
	})

	t.Run("absence survives a round trip", func(t *testing.T) {
		data := must.Get(json.Marshal(exported{}))(t)
		assert.JSONEq(t, `{"Value":""}`, string(data))
		back := exported{value}
		require.NoError(t, json.Unmarshal(data, &back))
		assert.True(t, back.Value.IsZero())
		back = exported{value}
		require.NoError(t, json.Unmarshal([]byte(`{"Value":null}`), &back))
		assert.Equal(t, value, back.Value, "null changes nothing, as everywhere in encoding/json")
		data = must.Get(json.Marshal(struct {
			Value T `json:",omitzero"`
		}{}))(t)
		assert.JSONEq(t, `{}`, string(data))

		assert.Nil(t, must.Get(none.Value())(t))
		scanned := value
		require.NoError(t, any(&scanned).(sql.Scanner).Scan(nil))
		assert.True(t, scanned.IsZero())
		assert.Zero(t, none.Reveal())
	})

	t.Run("bad input changes nothing", func(t *testing.T) {
		kept := exported{value}
		bad := []string{`{"Value":301005100001400678}`, `{"Value":["x"]}`}
		badColumns := []any{int64(301005100001400678), 3.01005100001400678e17, true}
		if name != "Text" { // which takes any text
			bad = append(bad, `{"Value":"`+text+`0"}`)
			badColumns = append(badColumns, text+"0")
		}
		for _, bad := range bad {
			err := json.Unmarshal([]byte(bad), &kept)
			require.Error(t, err)
			assertHides(t, err.Error(), text, bad)
			assert.Equal(t, value, kept.Value)
		}
		scanner := any(&kept.Value).(sql.Scanner)
		for _, column := range badColumns {
			err := scanner.Scan(column)
			require.Error(t, err)
			assertHides(t, err.Error()+flussi.Explain(err), text, "scan")
			assert.Equal(t, value, kept.Value)
		}
		assert.ErrorIs(t, scanner.Scan(int64(1)), flussi.ErrDigitsLost)
	})
}

// assertHides checks that the output shows neither the text nor its bytes.
func assertHides(t *testing.T, output, text, how string) {
	t.Helper()
	if leaktest.Shows(output, text) {
		t.Errorf("%s reveals the text: %s", how, output)
	}
}

func TestOrganizationCodeIsPublicAndMarshals(t *testing.T) {
	code := must.Get(flussi.ParseOrganizationCode("80185250588"))(t)
	assert.Equal(t, "80185250588", fmt.Sprint(code))
	data := must.Get(json.Marshal(struct{ Code flussi.OrganizationCode }{code}))(t)
	assert.JSONEq(t, `{"Code":"80185250588"}`, string(data))
	var back struct{ Code flussi.OrganizationCode }
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, code, back.Code)
	stored := must.Get(code.Value())(t)
	var scanned flussi.OrganizationCode
	require.NoError(t, scanned.Scan(stored))
	assert.Equal(t, code, scanned)
	require.NoError(t, scanned.Scan(must.Get(flussi.OrganizationCode{}.Value())(t)))
	assert.True(t, scanned.IsZero())
	assert.ErrorIs(t, scanned.Scan(int64(80185250588)), flussi.ErrDigitsLost)
}

func TestAnEmptyTextIsZero(t *testing.T) { assert.True(t, flussi.NewText("").IsZero()) }

func TestTextLengthCountsUTF16Units(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "perché": 6, "perche\u0301": 7, "😀": 2, "a😀b": 4, "日本": 2} {
		assert.Equal(t, want, flussi.NewText(text).Length(), text)
	}
}
