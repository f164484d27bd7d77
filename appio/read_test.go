package appio_test

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/appio"
	"github.com/flussi-go/flussi/appio/appiotest"
	"github.com/flussi-go/flussi/internal/must"
)

func TestMessageState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{ProcessAfter: time.Minute}, nil)
		blocking := citizen(t, "MSCMHL68P18H211K")
		p.AddCitizen(appiotest.Citizen{Code: blocking, Blocks: []string{"tributi"}})
		good, bad := message(t, 1), message(t, 2)
		good.FeatureLevel, good.Payment, bad.To = appio.FeatureAdvanced, payment(t), blocking
		accepted := must.Get(p.client.Submit(t.Context(), good))(t)
		rejected, err := p.client.Submit(t.Context(), bad)
		require.NoError(t, err, "the platform accepts it, and rejects it later")
		at, ok := accepted.ID.Time()
		assert.True(t, ok)
		assert.WithinDuration(t, time.Now(), at, time.Second)

		state := must.Get(p.client.Message(t.Context(), good.To, accepted.ID))(t)
		assert.Equal(t, appio.StatusAccepted, state.Status)
		assert.False(t, state.Status.Final())
		time.Sleep(time.Minute)
		state = must.Get(p.client.Message(t.Context(), good.To, accepted.ID))(t)
		assert.Equal(t, appio.MessageState{
			Status: appio.StatusProcessed, Read: appio.ReadStatusUnread, Payment: appio.PaymentStatusNotPaid, ID: accepted.ID, Service: "tributi",
			CreatedAt: at, FeatureLevel: appio.FeatureAdvanced, Subject: good.Subject, Content: good.Content,
		}, state, "that there is no word of e-mail and push is no failure")
		assert.True(t, state.Status.Final())
		state = must.Get(p.client.Message(t.Context(), bad.To, rejected.ID))(t)
		assert.Equal(t, appio.StatusRejected, state.Status)
		assert.True(t, state.Status.Final())

		require.True(t, p.SetState(string(accepted.ID), appiotest.State{Status: "ARCHIVED", Email: "QUEUED", Push: "SENT", Read: "READ", Payment: "PAID"}))
		state = must.Get(p.client.Message(t.Context(), good.To, accepted.ID))(t)
		assert.Equal(t, appio.MessageStatus("ARCHIVED"), state.Status, "values that are not known survive")
		assert.False(t, state.Status.Final())
		assert.Equal(t, appio.ChannelStatus("QUEUED"), state.Email)
		assert.Equal(t, appio.ChannelSent, state.Push)
		assert.Equal(t, appio.ReadStatusRead, state.Read)
		assert.Equal(t, appio.PaymentStatusPaid, state.Payment)

		_, err = p.client.Message(t.Context(), bad.To, accepted.ID)
		assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
		assert.Equal(t, "App IO non trova il messaggio: verificare l'ID del messaggio e il codice fiscale del destinatario.", flussi.Explain(err))
		_, err = p.client.Message(t.Context(), flussi.FiscalCode{}, "")
		assert.ErrorIs(t, err, flussi.ErrInvalid)
		assert.Equal(t, "Manca il codice fiscale del destinatario. Manca l'ID del messaggio: non risulta inviato.", flussi.Explain(err))
		assert.False(t, p.SetState("nowhere", appiotest.State{}))
	})
}

// Replies as the platform's description shows them, and worse: nothing is fatal.
func TestRepliesOfTheMessageStateDecode(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want appio.MessageState
	}{
		"the description's example": {
			`{"status":"PROCESSED","message":{"id":"01BX9NSMKAAAS5PSP2FATZM6BQ","fiscal_code":"QXJNTX9RCRVD6V4O","time_to_live":3600,
				"content":{"subject":"message subject","markdown":"Lorem ipsum"},"sender_service_id":"01BX9NSMKVXXS5PSP2FATZM6QX"},"notification":{"email":"QUEUED"}}`,
			appio.MessageState{Status: appio.StatusProcessed, Email: "QUEUED", ID: "1", Service: "01BX9NSMKVXXS5PSP2FATZM6QX",
				Subject: flussi.NewText("message subject"), Content: flussi.NewText("Lorem ipsum")}},
		"only the message":          {`{"message":{}}`, appio.MessageState{ID: "1"}},
		"nothing":                   {`{}`, appio.MessageState{ID: "1"}},
		"nulls":                     {`{"status":null,"message":null,"notification":null}`, appio.MessageState{ID: "1"}},
		"fields of other types":     {`{"status":7,"message":[],"notification":"x","read_status":"READ"}`, appio.MessageState{ID: "1", Read: appio.ReadStatusRead}},
		"other types further in":    {`{"status":"PROCESSED","message":{"created_at":"yesterday","content":{"subject":[],"markdown":"x"}}}`, appio.MessageState{ID: "1", Status: appio.StatusProcessed, Content: flussi.NewText("x")}},
		"fields that are not known": {`{"status":"PROCESSED","colour":"blue","message":{"created_at":"2025-02-28T18:00:00.000+01:00","x":{}}}`, appio.MessageState{ID: "1", Status: appio.StatusProcessed, CreatedAt: time.Date(2025, 2, 28, 17, 0, 0, 0, time.UTC)}},
	} {
		t.Run(name, func(t *testing.T) {
			client := clientOf(t, func(r *http.Request) (*http.Response, error) {
				assert.Equal(t, "GET https://platform.test/api/v1/messages/RSSMRA80A01H501U/1", r.Method+" "+r.URL.String())
				return answer(200, test.body, nil), nil
			})
			assert.Equal(t, test.want, must.Get(client.Message(t.Context(), citizen(t, secretCode), "1"))(t))
		})
	}
	for _, body := range []string{``, `[]`, `null`, `<html>`, `{"status":"PROC`} {
		client := answering(t, 200, body)
		_, err := client.Message(t.Context(), citizen(t, secretCode), "1")
		assert.ErrorIs(t, err, flussi.ErrUnavailable, body)
	}
}

// What is cut off is not taken for whole, however whole it looks.
func TestRepliesThatAreCutOffAreNotBelieved(t *testing.T) {
	client := clientOf(t, func(*http.Request) (*http.Response, error) {
		r := answer(200, `{"status":"PROCESSED"}`, nil)
		r.ContentLength = 100
		return r, nil
	})
	_, err := client.Message(t.Context(), citizen(t, secretCode), "1")
	assert.ErrorIs(t, err, flussi.ErrUnavailable)
}

func TestMessageIDsAreEscaped(t *testing.T) {
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "/api/v1/messages/RSSMRA80A01H501U/..%2F..%2Fprofiles%3Fx", r.URL.EscapedPath())
		return answer(404, `{"title":"Not found","status":404}`, nil), nil
	})
	_, err := client.Message(t.Context(), citizen(t, secretCode), "../../profiles?x")
	assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
}

func TestProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{ListedOnly: true}, nil)
		allowed, blocking, absent := citizen(t, secretCode), citizen(t, "MSCMHL68P18H211K"), citizen(t, "MSCMHL68P18H21MC")
		p.AddCitizen(appiotest.Citizen{Code: allowed, Languages: []string{"de_DE", "it_IT"}})
		p.AddCitizen(appiotest.Citizen{Code: blocking, Blocks: []string{"tributi"}})
		p.AddCitizen(appiotest.Citizen{Code: absent, Absent: true})
		profile := must.Get(p.client.Profile(t.Context(), allowed))(t)
		assert.Equal(t, appio.Profile{SenderAllowed: true, Languages: []string{"de_DE", "it_IT"}}, profile)
		profile = must.Get(p.client.Profile(t.Context(), blocking))(t)
		assert.Equal(t, appio.Profile{Languages: []string{"it_IT"}}, profile)
		for _, code := range []flussi.FiscalCode{absent, flussi.TestRecipient()} {
			_, err := p.client.Profile(t.Context(), code)
			assert.ErrorIs(t, err, flussi.ErrRemoteNotFound)
			assert.Equal(t, "Il cittadino non è su App IO o non riceve messaggi.", flussi.Explain(err))
		}
		_, err := p.client.Profile(t.Context(), flussi.FiscalCode{})
		assert.ErrorIs(t, err, flussi.ErrInvalid)
	})
	// A wrong address must not read as a citizen who is not there.
	for _, body := range []string{``, `<html>404`, `{"statusCode":404,"message":"Resource not found"}`} {
		client := answering(t, 404, body)
		_, err := client.Profile(t.Context(), citizen(t, secretCode))
		assert.ErrorIs(t, err, flussi.ErrUnavailable)
		assert.NotErrorIs(t, err, flussi.ErrRemoteNotFound)
		assert.ErrorContains(t, err, "BaseURL")
	}
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "POST https://platform.test/api/v1/profiles", r.Method+" "+r.URL.String(), "no fiscal code in the path")
		return answer(200, `{"email":"foobar@example.com","version":1}`, nil), nil // the description's example
	})
	assert.False(t, must.Get(client.Profile(t.Context(), citizen(t, secretCode)))(t).SenderAllowed, "what the platform does not allow is not allowed")
}

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{}, nil)
		in, out := citizen(t, secretCode), citizen(t, "MSCMHL68P18H211K")
		today := time.Now()
		p.AddFeed("tributi", today, []flussi.FiscalCode{in}, []flussi.FiscalCode{out})
		_, err := p.client.Feed(t.Context(), today)
		assert.ErrorIs(t, err, flussi.ErrRemoteNotFound, "the day is not over")
		assert.Contains(t, flussi.Explain(err), "non è ancora disponibile")
		_, err = p.client.Feed(t.Context(), time.Time{})
		assert.ErrorIs(t, err, flussi.ErrDate)
		time.Sleep(24 * time.Hour)
		feed := must.Get(p.client.Feed(t.Context(), today))(t)
		assert.Equal(t, appio.Feed{Subscribed: []appio.CitizenHash{appio.HashCitizen(in)}, Unsubscribed: []appio.CitizenHash{appio.HashCitizen(out)}}, feed)
		feed = must.Get(p.client.Feed(t.Context(), today.AddDate(0, 0, -1)))(t)
		assert.Empty(t, feed.Subscribed)
	})
	assert.Equal(t, appio.CitizenHash("69c91b400de1b28c17fef445c0ab36b16f2b5b8df0b996448f9860895868371d"), appio.HashCitizen(flussi.TestRecipient()))
	assert.Empty(t, appio.HashCitizen(flussi.FiscalCode{}))
	many := answering(t, 200, `{"subscriptions":["`+strings.Repeat(strings.Repeat("a", 64)+`","`, 50_000)+`"],"unsubscriptions":[]}`)
	feed := must.Get(many.Feed(t.Context(), time.Now()))(t)
	assert.Len(t, feed.Subscribed, 50_001, "a feed may be larger than other replies")
	for _, body := range []string{`{}`, `{"subscriptions":"no","unsubscriptions":[]}`, `{"subscriptions":[],"unsubscriptions":[7]}`} {
		broken := answering(t, 200, body)
		_, err := broken.Feed(t.Context(), time.Now())
		assert.ErrorIs(t, err, flussi.ErrUnavailable, "what cannot be read would be lost")
	}
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "https://platform.test/api/v1/subscriptions-feed/2025-01-01", r.URL.String(), "the day in UTC")
		return answer(200, `{"dateUTC":"2025-01-01","subscriptions":["`+strings.Repeat("a", 64)+`"],"unsubscriptions":[]}`, nil), nil
	})
	must.Get(client.Feed(t.Context(), time.Date(2025, 1, 2, 0, 30, 0, 0, time.FixedZone("", 3600))))(t)
}

func TestReadsAreRepeatedFreely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlatform(t, appiotest.Config{}, nil)
		p.Fail(appiotest.GetProfile, appiotest.Fault{Kind: appiotest.Reset}, appiotest.Fault{Kind: appiotest.BadGateway}, appiotest.Fault{Kind: appiotest.TooManyRequests}, appiotest.Fault{Kind: appiotest.Silent})
		assert.True(t, must.Get(p.client.Profile(t.Context(), citizen(t, secretCode)))(t).SenderAllowed)
		assert.Equal(t, 5, p.Received(appiotest.GetProfile))
	})
}

func TestMessageIDTime(t *testing.T) {
	at, ok := appio.MessageID("01JN6Q5CZ3VGTA4X4QJEFR95C1").Time()
	assert.True(t, ok)
	assert.Equal(t, "2025-02-28T16:45:17Z", at.Truncate(time.Second).Format(time.RFC3339))
	lower, ok := appio.MessageID("01jn6q5cz3vgta4x4qjefr95c1").Time()
	assert.True(t, ok)
	assert.Equal(t, at, lower)
	for _, id := range []appio.MessageID{"", "01JN6Q5CZ3VGTA4X4QJEFR95C", "01JN6Q5CZ3VGTA4X4QJEFR95CI", "81JN6Q5CZ3VGTA4X4QJEFR95C1", "RSSMRA80A01H501U", "01JN6Q5CZ3VGTA4X4QJEFR95Cé", "01JN6Q5CZ3VGTA4X4QJEFR95ſ"} {
		_, ok := id.Time()
		assert.False(t, ok, id)
	}
}

func TestNew(t *testing.T) {
	for name, test := range map[string]struct {
		key    flussi.Key
		config appio.Config
		words  []string
	}{
		"no key":                    {flussi.Key{}, appio.Config{}, []string{"no key"}},
		"no URL":                    {key(t, "k"), appio.Config{BaseURL: "api.io.pagopa.it"}, []string{"BaseURL is not"}},
		"another scheme":            {key(t, "k"), appio.Config{BaseURL: "ftp://api.io.pagopa.it"}, []string{"BaseURL is not"}},
		"a broken URL":              {key(t, "k"), appio.Config{BaseURL: "http://[::1"}, []string{"BaseURL is not"}},
		"a user":                    {key(t, "k"), appio.Config{BaseURL: "https://u:secret@x.it"}, []string{"no user"}},
		"a query":                   {key(t, "k"), appio.Config{BaseURL: "https://x.it?a=1"}, []string{"query"}},
		"no TLS to another machine": {key(t, "k"), appio.Config{BaseURL: "http://x.it"}, []string{"without TLS"}},
		"a Pace of nothing":         {key(t, "k"), appio.Config{Pace: &appio.Pace{}}, []string{"NewPace"}},
		"attempts without an end":   {key(t, "k"), appio.Config{MaxAttempts: math.MaxInt, MaxWait: math.MaxInt64}, []string{"MaxAttempts is", "MaxWait is"}},
		"everything at once":        {flussi.Key{}, appio.Config{BaseURL: "http://x.it", MaxAttempts: -1, MaxWait: -1}, []string{"no key", "without TLS", "MaxAttempts", "MaxWait"}},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := appio.New(test.key, test.config)
			assert.Nil(t, client)
			assert.ErrorIs(t, err, flussi.ErrConfig)
			for _, words := range test.words {
				assert.ErrorContains(t, err, words)
			}
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	for _, c := range []appio.Config{{}, {BaseURL: "http://x.it", AllowHTTP: true}, {BaseURL: "http://127.0.0.1:8080"}, {BaseURL: "http://[::1]/x/"}, {BaseURL: "http://localhost"}} {
		_, err := appio.New(key(t, "k"), c)
		assert.NoError(t, err)
	}
}

func TestRequestsCarryTheKey(t *testing.T) {
	client := clientOf(t, func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, secretKey, r.Header.Get("Ocp-Apim-Subscription-Key"))
		return nil, errors.New("seen")
	})
	_, err := client.Profile(t.Context(), flussi.TestRecipient())
	assert.ErrorIs(t, err, flussi.ErrUnavailable)
}
