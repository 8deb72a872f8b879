package sandbox

import "time"

// clock tells those who wait that something happened or that their time has come. What time it is says Options.Now, which a
// test may move; how long to wait is measured in real time, and Tick is for the mover.
type clock struct {
	changed  chan struct{} // closed and replaced at each news
	alarm    *time.Timer
	deadline time.Time // of Auditor's wait; zero: it does not wait
	stopped  bool
}

// shortestWait keeps a clock that stands still from being asked all the time.
const shortestWait = 5 * time.Millisecond

// Tick looks at the clock and does what is due by it. It is called by itself when real time passes; a test that moves the
// clock calls it.
func (s *Server) Tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clock.stopped {
		return
	}
	s.advance()
	s.announce()
}

// advance plays what is due of all sessions, and sets the alarm to what comes next.
func (s *Server) advance() {
	now := s.o.Now()
	s.catchUp(now, false)
	if s.turn(now) {
		s.announce()
	}
	for _, x := range s.world.sessions {
		played := false
		for len(x.beats) > 0 && !x.beats[0].at.After(now) {
			b := x.beats[0]
			x.beats = x.beats[1:]
			s.play(x, b)
			played = true
		}
		if played {
			s.announce()
		}
	}
	s.setAlarm(now)
}

func (s *Server) setAlarm(now time.Time) {
	if s.clock.alarm != nil {
		s.clock.alarm.Stop()
	}
	next := s.clock.deadline
	for _, x := range s.world.sessions {
		if len(x.beats) > 0 && (next.IsZero() || x.beats[0].at.Before(next)) {
			next = x.beats[0].at
		}
	}
	for _, d := range s.late {
		if next.IsZero() || d.at.Before(next) {
			next = d.at
		}
	}
	for _, r := range s.world.rotations {
		if next.IsZero() || r.at.Before(next) {
			next = r.at
		}
	}
	if !next.IsZero() && !s.clock.stopped {
		s.clock.alarm = time.AfterFunc(max(next.Sub(now), shortestWait), s.Tick)
	}
}

// announce wakes everybody who waits for news.
func (s *Server) announce() {
	close(s.clock.changed)
	s.clock.changed = make(chan struct{})
}

// news is closed at the next news after now.
func (s *Server) news() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.changed
}

func (s *Server) stopClock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.stopped = true
	if s.clock.alarm != nil {
		s.clock.alarm.Stop()
	}
}
