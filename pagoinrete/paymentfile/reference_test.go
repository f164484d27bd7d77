package paymentfile_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/must"
	"github.com/flussi-go/flussi/pagoinrete/paymentfile"
)

func TestReferencesSayTheirClass(t *testing.T) {
	for _, c := range []struct {
		text, want string
		class      paymentfile.ReferenceClass
		doubt      error
	}{
		{"", "", paymentfile.ReferenceNone, nil},
		{" \t", "", paymentfile.ReferenceNone, nil},
		{"010000000000102", "010000000000102", paymentfile.ReferenceIUV, nil},
		{" 01000000000000101\n", "01000000000000101", paymentfile.ReferenceIUV, nil},
		{"9876543210123456", "9876543210123456", paymentfile.ReferenceOther, nil},
		{"301000000000000101", "301000000000000101", paymentfile.ReferenceOther, nil},
		{"0100000000000010A", "0100000000000010A", paymentfile.ReferenceOther, nil},
		{"altro intermediario", "altro intermediario", paymentfile.ReferenceOther, nil},
		{strings.Repeat("A", 35), strings.Repeat("A", 35), paymentfile.ReferenceOther, nil},
		{strings.Repeat("A", 36), strings.Repeat("A", 36), paymentfile.ReferenceOther, flussi.ErrLength},
		{"RF18539007547034", "RF18539007547034", paymentfile.ReferenceCreditor, nil},
		{"RF18 5390 0754 7034", "RF18539007547034", paymentfile.ReferenceCreditor, nil},
		{" rf18 5390 0754 7034", "RF18539007547034", paymentfile.ReferenceCreditor, nil},
		{"RF19539007547034", "RF19539007547034", paymentfile.ReferenceCreditor, flussi.ErrCheckDigits},
		{"RF49 PI49 9009 15", "RF49PI49900915", paymentfile.ReferenceCreditor, flussi.ErrCheckDigits},
		{"RF78 567483937849450550875", "RF78567483937849450550875", paymentfile.ReferenceCreditor, nil}, // 25 characters
		{"RF01 5674 8393 7849 4505 5087 5", "RF01567483937849450550875", paymentfile.ReferenceCreditor, flussi.ErrCheckDigits},
		{"RF235674839378494505508751", "RF235674839378494505508751", paymentfile.ReferenceOther, nil}, // 26 characters
		{"RF1", "RF1", paymentfile.ReferenceOther, nil},
		{"RFX8539007547034", "RFX8539007547034", paymentfile.ReferenceOther, nil},
		{"RF18-5390", "RF18-5390", paymentfile.ReferenceOther, nil},
	} {
		r := paymentfile.NewReference(c.text)
		assert.Equal(t, c.want, r.Reveal(), c.text)
		assert.Equal(t, c.class, r.Class(), c.text)
		assert.Equal(t, c.want == "", r.IsZero(), c.text)
		if c.doubt == nil {
			assert.NoError(t, r.Check(), c.text)
		} else {
			assert.ErrorIs(t, r.Check(), c.doubt, c.text)
			assert.NotEmpty(t, flussi.Explain(r.Check()))
		}
		iuv, ok := r.IUV()
		assert.Equal(t, c.class == paymentfile.ReferenceIUV, ok, c.text)
		assert.Equal(t, ok, iuv.Reveal() == c.want && c.want != "", c.text)
		assert.Equal(t, r, paymentfile.NewReference(r.Reveal()), "the same reference again")
	}
}

// A reference masks itself, and is whole in JSON and SQL.
func TestReferencesAreCarriedWhole(t *testing.T) {
	for _, text := range []string{"01000000000000101", "RF18539007547034", "di un altro", ""} {
		r := paymentfile.NewReference(text)
		data := must.Get(json.Marshal(r))(t)
		assert.JSONEq(t, `"`+text+`"`, string(data))
		var back paymentfile.Reference
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, r, back)
		var scanned paymentfile.Reference
		require.NoError(t, scanned.Scan(must.Get(r.Value())(t)))
		assert.Equal(t, r, scanned)
		mask := "Reference(***)"
		if text == "" {
			mask = "Reference()"
		}
		assert.Equal(t, []string{mask, mask, `"` + mask + `"`, "paymentfile." + mask}, []string{fmt.Sprint(r), fmt.Sprintf("%+x", r), fmt.Sprintf("%q", r), fmt.Sprintf("%#v", r)})
	}
	var r paymentfile.Reference
	assert.ErrorIs(t, r.Scan(int64(1)), flussi.ErrDigitsLost)
}

func TestDaysAreCarriedWhole(t *testing.T) {
	d := day(2030, 3, 31)
	assert.Equal(t, []string{"2030-03-31", "31/03/2030", "2030-03-30 23:00:00 +0000 UTC"}, []string{d.String(), d.Italian(), d.Time().String()})
	data := must.Get(json.Marshal(map[string]any{"day": d, "none": paymentfile.Day{}}))(t)
	assert.JSONEq(t, `{"day": "2030-03-31", "none": ""}`, string(data))
	var back struct{ Day, None paymentfile.Day }
	require.NoError(t, json.Unmarshal(data, &back))
	assert.Equal(t, d, back.Day)
	assert.True(t, back.None.IsZero())
	assert.True(t, paymentfile.Day{}.Time().IsZero())
	assert.Equal(t, "", paymentfile.Day{}.Italian())
	for _, wrong := range []string{"2030-02-30", "2030-03-31+01:00", "2030-03-31T00:00:00Z", "x"} {
		assert.ErrorIs(t, back.Day.UnmarshalText([]byte(wrong)), flussi.ErrDate, wrong)
	}
	assert.Equal(t, d, back.Day, "unchanged")
}
