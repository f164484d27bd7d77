package appio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

func TestValidate(t *testing.T) {
	text := flussi.NewText
	long := func(n int) flussi.Text { return text(strings.Repeat("x", n)) }
	third := func(change func(*appio.ThirdParty), level ...appio.FeatureLevel) func(*appio.Message) {
		return func(m *appio.Message) {
			for _, l := range level {
				m.FeatureLevel = l
			}
			m.ThirdParty = &appio.ThirdParty{ID: "pratica-1", ConfigurationID: "01HMVMHCZZ8D0VTFWMRHBM5D6F", HasRemoteContent: true}
			change(m.ThirdParty)
		}
	}
	pay := func(change func(*appio.Payment)) func(*appio.Message) {
		return func(m *appio.Message) { m.Payment = payment(t); change(m.Payment) }
	}
	for name, test := range map[string]struct {
		change func(*appio.Message)
		field  string
		err    error
		words  string
	}{
		"a plain message":              {change: func(*appio.Message) {}},
		"no recipient":                 {func(m *appio.Message) { m.To = flussi.FiscalCode{} }, "fiscal_code", flussi.ErrEmpty, "Manca il codice fiscale del destinatario."},
		"the test recipient":           {change: func(m *appio.Message) { m.To = flussi.TestRecipient() }},
		"no subject":                   {func(m *appio.Message) { m.Subject = flussi.Text{} }, "content.subject", flussi.ErrEmpty, "L'oggetto è obbligatorio."},
		"a subject of 9":               {func(m *appio.Message) { m.Subject = long(9) }, "content.subject", flussi.ErrLength, "L'oggetto ha 9 caratteri: devono essere da 10 a 120."},
		"a subject of 10":              {change: func(m *appio.Message) { m.Subject = long(10) }},
		"a subject of 120":             {change: func(m *appio.Message) { m.Subject = long(120) }},
		"a subject of 121":             {func(m *appio.Message) { m.Subject = long(121) }, "content.subject", flussi.ErrLength, "devono essere da 10 a 120"},
		"a subject of 9 and an emoji":  {change: func(m *appio.Message) { m.Subject = text("xxxxxxxx😀") }},
		"a subject of 119 and one":     {func(m *appio.Message) { m.Subject = text(strings.Repeat("x", 119) + "😀") }, "content.subject", flussi.ErrLength, "ha 121 caratteri"},
		"a composed accent":            {func(m *appio.Message) { m.Subject = text("perché ssì") }, "", nil, ""},
		"a decomposed accent counts 2": {change: func(m *appio.Message) { m.Subject = text("perche\u0301 ss") }},
		"broken UTF-8":                 {func(m *appio.Message) { m.Subject = text("oggetto con \xff dentro") }, "content.subject", appio.ErrEncoding, "illeggibili"},
		"no content":                   {func(m *appio.Message) { m.Content = flussi.Text{} }, "content.markdown", flussi.ErrEmpty, "Il contenuto è obbligatorio."},
		"a content of 79":              {func(m *appio.Message) { m.Content = long(79) }, "content.markdown", flussi.ErrLength, "devono essere da 80 a 10.000"},
		"a content of 80":              {change: func(m *appio.Message) { m.Content = long(80) }},
		"a content of 10000":           {change: func(m *appio.Message) { m.Content = long(10000) }},
		"a content of 10001":           {func(m *appio.Message) { m.Content = long(10001) }, "content.markdown", flussi.ErrLength, "devono essere da 80 a 10.000"},
		"dashes, and no front matter":  {func(m *appio.Message) { m.Content = text("---\n" + strings.Repeat("Testo. ", 20)) }, "content.markdown", appio.ErrFrontMatter, "tre trattini"},
		"another feature level":        {func(m *appio.Message) { m.FeatureLevel = "GOLD" }, "feature_level_type", flussi.ErrRange, "STANDARD o ADVANCED"},
		"ADVANCED":                     {change: func(m *appio.Message) { m.FeatureLevel = appio.FeatureAdvanced }},
		"a time to live of an hour":    {change: func(m *appio.Message) { m.TimeToLive = time.Hour }},
		"a time to live of a week":     {change: func(m *appio.Message) { m.TimeToLive = 7 * 24 * time.Hour }},
		"a time to live too short":     {func(m *appio.Message) { m.TimeToLive = time.Hour - time.Second }, "time_to_live", flussi.ErrRange, "3.600"},
		"a time to live too long":      {func(m *appio.Message) { m.TimeToLive = 7*24*time.Hour + time.Second }, "time_to_live", flussi.ErrRange, "604.800"},
		"half a second to live":        {func(m *appio.Message) { m.TimeToLive = time.Hour + time.Second/2 }, "time_to_live", flussi.ErrRange, "secondi"},
		"a year beyond":                {func(m *appio.Message) { m.DueDate = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "content.due_date", flussi.ErrDate, "anno"},
		"a payment":                    {change: pay(func(*appio.Payment) {})},
		"a payment of nothing":         {pay(func(p *appio.Payment) { p.Amount = 0 }), "content.payment_data.amount", flussi.ErrRange, "0,01 €"},
		"a payment too large":          {pay(func(p *appio.Payment) { p.Amount = 10_000_000_000 }), "content.payment_data.amount", flussi.ErrRange, "99.999.999,99 €"},
		"a payment without a number":   {pay(func(p *appio.Payment) { p.NoticeNumber = flussi.NoticeNumber{} }), "content.payment_data.notice_number", flussi.ErrEmpty, "numero avviso"},
		"remote content":               {change: third(func(*appio.ThirdParty) {})},
		"remote content without ID":    {third(func(p *appio.ThirdParty) { p.ID = "" }), "content.third_party_data.id", flussi.ErrEmpty, "obbligatorio"},
		"no configuration":             {third(func(p *appio.ThirdParty) { p.ConfigurationID = "" }), "content.third_party_data.configuration_id", flussi.ErrCharacter, "ULID"},
		"a configuration in small":     {third(func(p *appio.ThirdParty) { p.ConfigurationID = strings.ToLower(p.ConfigurationID) }), "content.third_party_data.configuration_id", flussi.ErrCharacter, "ULID"},
		"attachments":                  {change: third(func(p *appio.ThirdParty) { p.HasAttachments = true }, appio.FeatureAdvanced)},
		"attachments with STANDARD":    {third(func(p *appio.ThirdParty) { p.HasAttachments = true }, appio.FeatureStandard), "content.third_party_data.has_attachments", appio.ErrFeatureLevel, "ADVANCED"},
		"attachments with no level":    {third(func(p *appio.ThirdParty) { p.HasAttachments = true }), "content.third_party_data.has_attachments", appio.ErrFeatureLevel, "ADVANCED"},
		"secure channels":              {change: func(m *appio.Message) { m.SecureChannels = appio.SecureChannelsRequired }},
		"no secure channels":           {change: func(m *appio.Message) { m.SecureChannels = appio.SecureChannelsNotRequired }},
		"other secure channels":        {func(m *appio.Message) { m.SecureChannels = "true" }, "content.require_secure_channels", flussi.ErrRange, "REQUIRED"},
		"another precondition":         {third(func(p *appio.ThirdParty) { p.HasPrecondition = "OFTEN" }), "content.third_party_data.has_precondition", flussi.ErrRange, "ALWAYS"},
		"a receipt in no year":         {third(func(p *appio.ThirdParty) { p.OriginalReceiptDate = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }), "content.third_party_data.original_receipt_date", flussi.ErrDate, "anno"},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, 1)
			test.change(&m)
			err := m.Validate()
			if test.err == nil {
				assert.NoError(t, err)
				return
			}
			invalid := must.As[*flussi.InvalidError](t, err)
			assert.ErrorIs(t, err, flussi.ErrInvalid)
			assert.ErrorIs(t, err, test.err)
			require.Len(t, invalid.Fields, 1)
			assert.Equal(t, test.field, invalid.Fields[0].Type)
			assert.Contains(t, flussi.Explain(err), test.words)
			assert.Equal(t, flussi.OutcomeRefused, flussi.OutcomeOf(err))
			assert.Contains(t, err.Error(), test.field+": "+test.err.Error())
		})
	}
}

func TestValidateReportsEverything(t *testing.T) {
	err := appio.Message{Payment: &appio.Payment{}}.Validate()
	invalid := must.As[*flussi.InvalidError](t, err)
	assert.Len(t, invalid.Fields, 5)
	assert.EqualError(t, err, "flussi: not valid: fiscal_code: no text; content.subject: no text; content.markdown: no text; "+
		"content.payment_data.amount: out of range; content.payment_data.notice_number: no text")
}

// random returns a message that may be wrong anywhere, near every limit.
func random(t testing.TB, r *rand.Rand) appio.Message {
	pick := func(n int) bool { return r.IntN(n) == 0 }
	chars := []string{"a", "é", "e\u0301", "😀", "<", "\"", "\\", "\n", "日", "&"}
	text := func(limits ...int) flussi.Text {
		var b strings.Builder
		for n := max(0, limits[r.IntN(len(limits))]+r.IntN(5)-2); b.Len() < n; {
			b.WriteString(chars[r.IntN(len(chars))])
		}
		return flussi.NewText(b.String())
	}
	date := func() time.Time {
		return time.Date(2020+r.IntN(20), 1, r.IntN(400), r.IntN(24), 0, 0, r.IntN(1e9), time.FixedZone("", 3600*(r.IntN(24)-12)))
	}
	m := appio.Message{To: citizen(t, secretCode), Subject: text(10, 60, 120), Content: text(80, 400, 10000)}
	if pick(20) {
		m.To = flussi.FiscalCode{}
	}
	if pick(2) {
		m.DueDate = date()
	}
	m.SecureChannels = []appio.SecureChannels{"", appio.SecureChannelsRequired, appio.SecureChannelsNotRequired}[r.IntN(3)]
	m.FeatureLevel = []appio.FeatureLevel{"", appio.FeatureStandard, appio.FeatureAdvanced, "GOLD"}[r.IntN(4)]
	if pick(3) {
		m.Payment = &appio.Payment{Amount: flussi.Cents([]int64{-1, 0, 1, 1250, 9999999999, 10000000000}[r.IntN(6)]), InvalidAfterDueDate: pick(2)}
		if !pick(4) {
			m.Payment.NoticeNumber = payment(t).NoticeNumber
		}
		if pick(2) {
			m.Payment.Payee = organization(t, "80185250588")
		}
	}
	if pick(4) {
		m.ThirdParty = &appio.ThirdParty{
			ID: text(0, 9).Reveal(), ConfigurationID: []string{"", "x", "01HMVMHCZZ8D0VTFWMRHBM5D6F"}[r.IntN(3)], OriginalSender: text(0, 9).Reveal(),
			HasAttachments: pick(2), HasRemoteContent: pick(2), HasPrecondition: []appio.Precondition{"", appio.PreconditionOnce, "OFTEN"}[r.IntN(3)], Summary: text(0, 9),
		}
		if pick(2) {
			m.ThirdParty.OriginalReceiptDate = date()
		}
	}
	if pick(6) {
		m.CovidCertificate = text(9)
	}
	if pick(6) {
		m.TimeToLive = []time.Duration{time.Hour, time.Minute, 7 * 24 * time.Hour, 8 * 24 * time.Hour}[r.IntN(4)]
	}
	return m
}

// The client's checks and the platform's are written apart; they must agree on what
// can be sent.
func TestTheClientRefusesWhatThePlatformWouldAndNothingElse(t *testing.T) {
	simulator := appiotest.New(appiotest.Config{Unlimited: true})
	simulator.AddService(appiotest.Service{ID: "tributi", Key: secretKey, NamesPayee: true, Configurations: []string{ownConfiguration}})
	r := rand.New(rand.NewPCG(3, 4))
	valid := 0
	for i := range 4000 {
		m := random(t, r)
		if i%2 == 0 { // half of them as good as they get
			fix(t, &m)
		}
		body := must.Get(m.Encode())(t)
		w := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodPost, appiotest.BasePath+"/messages", strings.NewReader(string(body)))
		request.Header.Set("Ocp-Apim-Subscription-Key", secretKey)
		simulator.ServeHTTP(w, request)
		err := m.Validate()
		if err == nil {
			valid++
		}
		if errors.Is(err, appio.ErrFrontMatter) {
			continue // the platform lets it pass, and the app shows it wrong
		}
		assert.Equal(t, err == nil, w.Code == http.StatusCreated, "%v, and the platform: %d %s", err, w.Code, w.Body)
		if t.Failed() {
			return
		}
	}
	assert.Greater(t, valid, 1000)
}

// fix mends what random spoils most often.
func fix(t testing.TB, m *appio.Message) {
	good := message(t, 1)
	m.To = good.To
	if n := m.Subject.Length(); n < 10 || n > 120 {
		m.Subject = good.Subject
	}
	if n := m.Content.Length(); n < 80 || n > 10000 {
		m.Content = good.Content
	}
	if m.FeatureLevel == "GOLD" {
		m.FeatureLevel = ""
	}
	m.TimeToLive = 0
	if p := m.ThirdParty; p != nil {
		*p = appio.ThirdParty{ID: "1", ConfigurationID: ownConfiguration, HasAttachments: p.HasAttachments, HasRemoteContent: true}
	}
	if m.Payment != nil {
		*m.Payment = *payment(t)
	}
}

// The request of a message that uses every field.
func TestTheRequestOfAMessage(t *testing.T) {
	due := must.Get(flussi.EndOfDay(2025, time.March, 30))(t)
	var got map[string]any
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "POST https://platform.test/api/v1/messages", r.Method+" "+r.URL.String(), "no fiscal code in the path")
		assert.Equal(t, secretKey, r.Header.Get("Ocp-Apim-Subscription-Key"))
		body := must.Get(io.ReadAll(r.Body))(t)
		require.NoError(t, json.Unmarshal(body, &got))
		assert.NotContains(t, string(body), `\u003c`, "escapes only make it longer")
		return answer(201, `{"id":"1"}`, nil), nil
	})
	m := appio.Message{
		To: citizen(t, secretCode), Subject: flussi.NewText("Oggetto <é> 😀"), Content: flussi.NewText(strings.Repeat("x", 80)),
		DueDate: due, SecureChannels: appio.SecureChannelsRequired, FeatureLevel: appio.FeatureAdvanced,
		Payment:          &appio.Payment{Amount: 1999, NoticeNumber: payment(t).NoticeNumber, InvalidAfterDueDate: true, Payee: organization(t, "15376371009")},
		ThirdParty:       &appio.ThirdParty{ID: "1", ConfigurationID: "01HMVMHCZZ8D0VTFWMRHBM5D6F", OriginalSender: "Comune", OriginalReceiptDate: due, HasAttachments: true, HasRemoteContent: true, HasPrecondition: appio.PreconditionOnce, Summary: flussi.NewText("Riassunto")},
		CovidCertificate: flussi.NewText("c"), TimeToLive: time.Hour,
	}
	must.Get(client.Submit(t.Context(), m))(t)
	want := fmt.Sprintf(`{
		"time_to_live": 3600, "fiscal_code": "RSSMRA80A01H501U", "feature_level_type": "ADVANCED",
		"content": {
			"subject": "Oggetto <é> 😀", "markdown": %q, "require_secure_channels": true, "due_date": "2025-03-30T21:59:59.000Z",
			"payment_data": {"amount": 1999, "notice_number": "301005100001400678", "invalid_after_due_date": true, "payee": {"fiscal_code": "15376371009"}},
			"eu_covid_cert": {"auth_code": "c"},
			"third_party_data": {"id": "1", "configuration_id": "01HMVMHCZZ8D0VTFWMRHBM5D6F", "original_sender": "Comune", "original_receipt_date": "2025-03-30T21:59:59.000Z",
				"has_attachments": true, "has_remote_content": true, "has_precondition": "ONCE", "summary": "Riassunto"}
		}
	}`, strings.Repeat("x", 80))
	assert.JSONEq(t, want, string(must.Get(json.Marshal(got))(t)))

	m = message(t, 1)
	for setting, want := range map[appio.SecureChannels]any{"": nil, appio.SecureChannelsRequired: true, appio.SecureChannelsNotRequired: false} {
		got = nil
		m.SecureChannels = setting
		must.Get(client.Submit(t.Context(), m))(t)
		assert.Equal(t, want, got["content"].(map[string]any)["require_secure_channels"], setting)
	}

	got = nil
	m = message(t, 1)
	must.Get(client.Submit(t.Context(), m))(t)
	assert.Equal(t, map[string]any{
		"fiscal_code": secretCode,
		"content":     map[string]any{"subject": m.Subject.Reveal(), "markdown": m.Content.Reveal()},
	}, got, "what is not set is not sent")
}
