package pki

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

func TestChainInAnyOrder(t *testing.T) {
	for _, key := range []KeyKind{RSA2048, ECDSAP256} {
		k, err := NewKey(key)
		must(t, err)
		c, stranger := newChain(t, k), parsedOf(t, selfMade(t, template("stranger"), ecKey(t)))
		for _, order := range [][]Certificate{
			{c.leaf, c.mid, c.root}, {c.root, c.mid, c.leaf}, {c.mid, c.root, c.leaf}, {c.leaf, c.leaf, c.root, c.mid, c.mid}, {stranger, c.root, c.leaf, c.mid},
		} {
			got, err := Chain(k, order)
			if err != nil {
				t.Fatal(err)
			}
			if s := subjectsOf(got.All()); s != "auditor, Contoso Issuing, Contoso Root" || got.Missing != "" {
				t.Errorf("%s: %s, missing %q", subjectsOf(order), s, got.Missing)
			}
			if root, complete := got.Root(); !complete || root.SHA256 != c.root.SHA256 {
				t.Errorf("root %s %v", root.Subject, complete)
			}
			if want := slices.ContainsFunc(order, func(o Certificate) bool { return o.SHA256 == stranger.SHA256 }); (subjectsOf(got.Others) == "stranger") != want {
				t.Errorf("others: %s", subjectsOf(got.Others))
			}
		}
	}
}

func TestChainNamesWhatIsMissing(t *testing.T) {
	c := newChain(t, ecKey(t))
	for _, x := range []struct {
		have          []Certificate
		chain, lacks  string
		others, rooty string
	}{
		{[]Certificate{c.leaf}, "auditor", "CN=Contoso Issuing", "", "auditor"},
		{[]Certificate{c.mid, c.leaf}, "auditor, Contoso Issuing", "CN=Contoso Root", "", "Contoso Issuing"},
		{[]Certificate{c.root, c.leaf}, "auditor", "CN=Contoso Issuing", "Contoso Root", "auditor"},
	} {
		got, err := Chain(c.key, x.have)
		if err != nil {
			t.Fatal(err)
		}
		root, complete := got.Root()
		if subjectsOf(got.All()) != x.chain || got.Missing != x.lacks || subjectsOf(got.Others) != x.others || complete || subjectsOf([]Certificate{root}) != x.rooty {
			t.Errorf("%s: %+v", subjectsOf(x.have), got)
		}
	}
}

// A namesake whose key signed nothing is no issuer.
func TestChainGoesBySignatures(t *testing.T) {
	c, other := newChain(t, ecKey(t)), newChain(t, ecKey(t))
	got, err := Chain(c.key, []Certificate{c.leaf, other.mid, other.root})
	if err != nil || got.Missing != "CN=Contoso Issuing" || len(got.Issuers) != 0 || len(got.Others) != 2 {
		t.Errorf("%+v %v", got, err)
	}
}

// Of two that signed with the same key the self-signed one ends the chain.
func TestChainPrefersTheSelfSigned(t *testing.T) {
	key, rootKey, oldKey := ecKey(t), ecKey(t), ecKey(t)
	root, old := template("Contoso Root"), template("Old Root")
	root.IsCA, old.IsCA = true, true
	self := parsedOf(t, selfMade(t, root, rootKey))
	cross := parsedOf(t, issued(t, root, old, rootKey, oldKey))
	leaf := parsedOf(t, issued(t, template("auditor"), root, key, rootKey))
	for _, order := range [][]Certificate{{leaf, cross, self}, {leaf, self, cross}} {
		got, err := Chain(key, order)
		if err != nil || len(got.Issuers) != 1 || got.Issuers[0].SHA256 != self.SHA256 || got.Missing != "" {
			t.Errorf("%s: %+v %v", subjectsOf(got.All()), got.Missing, err)
		}
	}
}

func TestChainTakesTheNewestOfTheKey(t *testing.T) {
	key := ecKey(t)
	old, renewed := template("auditor"), template("auditor")
	renewed.NotBefore = today.AddDate(0, 0, -1)
	want := parsedOf(t, selfMade(t, renewed, key))
	got, err := Chain(key, []Certificate{parsedOf(t, selfMade(t, old, key)), want})
	if err != nil || got.Leaf.SHA256 != want.SHA256 || len(got.Others) != 1 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestChainOfAnotherKey(t *testing.T) {
	c, mine := newChain(t, ecKey(t)), ecKey(t)
	_, err := Chain(mine, c.all())
	var p *problem.Problem
	if !errors.As(err, &p) || !errors.Is(err, errMismatch) || len(p.Next) == 0 || !strings.Contains(p.What, "another key") {
		t.Fatalf("%v", err)
	}
	for _, s := range []string{KeyFingerprint(mine.Public()), KeyFingerprint(c.key.Public()), "CN=auditor"} {
		if !strings.Contains(p.Why, s) {
			t.Errorf("%q is missing in %s", s, p.Why)
		}
	}
	if strings.Contains(p.Why, "Contoso Root") {
		t.Errorf("the authorities are no answer: %s", p.Why)
	}
	_, err = Chain(mine, []Certificate{c.root, c.mid})
	if !errors.As(err, &p) || !strings.Contains(p.Error(), "certificates of authorities only: CN=Contoso Root; CN=Contoso Issuing") {
		t.Errorf("%v", err)
	}
	if _, err := Chain(mine, nil); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("%v", err)
	}
}

// Two that vouch for each other, and a heap of namesakes, end.
func TestChainEnds(t *testing.T) {
	a, b, aKey, bKey := template("a"), template("b"), ecKey(t), ecKey(t)
	a.IsCA, b.IsCA = true, true
	ring := []Certificate{parsedOf(t, issued(t, a, b, aKey, bKey)), parsedOf(t, issued(t, b, a, bKey, aKey))}
	if got, err := Chain(aKey, ring); err != nil || got.Missing == "" {
		t.Errorf("%+v %v", got, err)
	}
	list := []Certificate{parsedOf(t, issued(t, template("leaf"), &x509.Certificate{Subject: a.Subject}, bKey, aKey))}
	for range 50 {
		list = append(list, parsedOf(t, selfMade(t, a, ecKey(t))))
	}
	if got, err := Chain(bKey, list); err != nil || got.Missing == "" || len(got.Others) != 50 {
		t.Errorf("%+v %v", got.Missing, err)
	}
}
