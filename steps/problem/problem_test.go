package problem_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

func kinds() []problem.Kind {
	return []problem.Kind{
		problem.Failed, problem.Usage, problem.Refused, problem.SignInAgain, problem.NotOffered, problem.NotFound, problem.AnswerLost, problem.Stale,
		problem.Unreachable, problem.Cancelled, problem.GateClosed,
	}
}

func TestErrorIsOneLine(t *testing.T) {
	for _, c := range []struct {
		p    *problem.Problem
		want string
	}{
		{problem.New("it failed"), "it failed"},
		{problem.New("it failed").Because("the disk is full"), "it failed: the disk is full"},
		{problem.New("it failed").At("a.yaml:3:4"), "a.yaml:3:4: it failed"},
		{problem.New("it failed").Because("so").At("here").Try("one").Of(problem.Usage).From(fs.ErrNotExist), "here: it failed: so"},
	} {
		if got := c.p.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestProblemKeepsItsParts(t *testing.T) {
	p := problem.New("what").Because("why").Try("one").Try("two", "three").At("where").Of(problem.Stale).From(fs.ErrNotExist)
	if p.What != "what" || p.Why != "why" || !slices.Equal(p.Next, []string{"one", "two", "three"}) || p.Where != "where" || p.Kind != problem.Stale {
		t.Errorf("%+v", p)
	}
	if !errors.Is(p, fs.ErrNotExist) {
		t.Error("the error below is lost")
	}
	if strings.Contains(p.Error(), fs.ErrNotExist.Error()) {
		t.Error("the error below is printed")
	}
	var as *problem.Problem
	if !errors.As(fmt.Errorf("around: %w", p), &as) || as != p {
		t.Error("not found by errors.As")
	}
}

func TestListFlattens(t *testing.T) {
	a, b, c := problem.New("a"), problem.New("b"), problem.New("c")
	var l problem.List
	l.Add(nil)
	if l.Err() != nil {
		t.Fatal("an empty list is an error")
	}
	l.Add(a)
	l.Add(problem.List{b, c})
	l.Add(fmt.Errorf("around: %w", problem.List{a}))
	l.Add(errors.New("pla\x1bin"))
	l.Add(errors.Join(b, errors.New("more"), problem.List{c, a}))
	want := "a\nb\nc\na\nplain\nb\nmore\nc\na"
	if err := l.Err(); err == nil || err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestAllFindsWhatIsOutermost(t *testing.T) {
	a, b, c := problem.New("a").Of(problem.Stale), problem.New("b").Of(problem.Refused), problem.New("c")
	plain := errors.New("plain")
	for name, x := range map[string]struct {
		err  error
		want []string
	}{
		"nothing":                   {nil, nil},
		"itself":                    {a, []string{"a"}},
		"wrapped":                   {fmt.Errorf("around: %w", a), []string{"a"}},
		"from another":              {problem.New("outer").From(a), []string{"outer"}},
		"from a list":               {problem.New("outer").From(problem.List{a, b}), []string{"outer"}},
		"list":                      {problem.List{a, b}, []string{"a", "b"}},
		"joined":                    {errors.Join(a, b), []string{"a", "b"}},
		"joined with a list":        {errors.Join(a, problem.List{b, c}), []string{"a", "b", "c"}},
		"joined with a plain one":   {errors.Join(plain, a), []string{"plain", "a"}},
		"joined, wrapped":           {fmt.Errorf("around: %w", errors.Join(a, fmt.Errorf("x: %w", b))), []string{"a", "b"}},
		"two wrapped in one":        {fmt.Errorf("%w and %w", a, b), []string{"a", "b"}},
		"plain":                     {fmt.Errorf("reading: %w", plain), []string{"reading: plain"}},
		"plain ones joined":         {errors.Join(plain, errors.New("more")), []string{"plain more"}},
		"text that is not harmless": {errors.New("a\x1b[2J\u202eb"), []string{"a[2Jb"}},
	} {
		var got []string
		for _, p := range problem.All(x.err) {
			got = append(got, p.What)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: got %q, want %q", name, got, x.want)
		}
	}
	if all := problem.All(fmt.Errorf("reading: %w", fs.ErrNotExist)); !errors.Is(all[0], fs.ErrNotExist) {
		t.Error("the plain error below is lost")
	}
}

func TestKindOfIsTheGravest(t *testing.T) {
	of := func(ks ...problem.Kind) problem.List {
		var l problem.List
		for _, k := range ks {
			l = append(l, problem.New("x").Of(k))
		}
		return l
	}
	for _, k := range kinds() {
		if got := problem.KindOf(fmt.Errorf("around: %w", of(k)[0])); got != k {
			t.Errorf("wrapped %d: got %d", k, got)
		}
		if got := problem.KindOf(of(problem.Failed, k, problem.Refused)); got != problem.Refused {
			t.Errorf("refused after %d: got %d", k, got)
		}
		if got := problem.KindOf(problem.New("outer").Of(k).From(of(problem.Refused)[0])); got != k {
			t.Errorf("%d over a refusal: got %d", k, got)
		}
	}
	for _, c := range []struct {
		err  error
		want problem.Kind
	}{
		{nil, problem.Failed},
		{errors.New("plain"), problem.Failed},
		{problem.List{}, problem.Failed},
		{of(problem.Stale, problem.NotFound), problem.Stale},
		{of(problem.Stale, problem.Usage), problem.Usage},
		{of(problem.Usage, problem.SignInAgain), problem.SignInAgain},
		{of(problem.SignInAgain, problem.Refused, problem.Usage), problem.Refused},
		{errors.Join(of(problem.AnswerLost)[0], of(problem.Failed)[0]), problem.AnswerLost},
		{errors.Join(of(problem.AnswerLost)[0], of(problem.Refused)[0]), problem.Refused},
	} {
		if got := problem.KindOf(c.err); got != c.want {
			t.Errorf("%v: got %d, want %d", c.err, got, c.want)
		}
	}
}

func TestIs(t *testing.T) {
	for _, k := range kinds() {
		for _, other := range kinds() {
			if got := problem.Is(problem.New("x").Of(k), other); got != (k == other) {
				t.Errorf("kind %d is %d: %v", k, other, got)
			}
		}
		if problem.Is(nil, k) {
			t.Errorf("nothing is of the kind %d", k)
		}
	}
	if !problem.Is(errors.New("plain"), problem.Failed) || problem.Is(errors.New("plain"), problem.Usage) {
		t.Error("a plain error is no failure")
	}
}

// TestCodeLine tells a code once for several problems of it in a row.
func TestCodeLine(t *testing.T) {
	l := problem.List{problem.New("a").Of(problem.Usage), problem.New("b").Of(problem.Usage), problem.New("c").Of(problem.Usage).Coded(problem.WebDAV), problem.New("d")}
	want := []string{"", "code: usage   (npsetup explain usage)", "code: webdav   (npsetup explain webdav)", "code: failed   (npsetup explain failed)"}
	for i := range l {
		if got := l.CodeLine(i); got != want[i] {
			t.Errorf("behind %s: %q, want %q", l[i].What, got, want[i])
		}
	}
	for c, bare := range map[problem.Code]bool{"": true, problem.FailedCode: true, problem.DiffersFromGuide: true, problem.WebDAV: false, problem.UsageCode: false} {
		if c.Bare() != bare {
			t.Errorf("%q is bare: %v", c, !bare)
		}
	}
}
