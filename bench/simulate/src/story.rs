//! A story of one application in this process: only what happens in it is timed, not what an operator does.

use std::error::Error;
use std::time::{Duration, Instant};

use zkpeer_core::testing::{Application, Event, Model, Outcome};

/// What a story came to.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The beginnings and the ends of hooks.
    pub(crate) events: usize,
    pub(crate) time: Duration,
}

/// Five units are deployed, two come, the configuration changes five times, one unit goes.
pub(crate) fn play(application: Application, seed: u64) -> Result<Story, Box<dyn Error>> {
    let mut model = Model::new();
    let mut story = Story::default();
    model.seed(seed);
    model.deploy(application.units(5))?;
    story.settle(&mut model)?;
    for _ in 0..2 {
        model.add_unit("bench")?;
    }
    story.settle(&mut model)?;
    for change in 0..5 {
        model.set_config("bench", "tick-time", 1_000 + change)?;
        story.settle(&mut model)?;
    }
    model.remove_unit("bench/0")?;
    story.settle(&mut model)?;
    if model.members("bench/1", "quorum").len() != 5 {
        return Err(format!("the story has ended wrongly: {:?}", model.units()).into());
    }
    Ok(story)
}

impl Story {
    fn settle(&mut self, model: &mut Model) -> Result<(), Box<dyn Error>> {
        let begun = Instant::now();
        while let Some(event) = model.step()? {
            match event {
                Event::Began(..) => self.events += 1,
                Event::Ended(run) if run.outcome == Outcome::Done => self.events += 1,
                Event::Ended(run) => return Err(format!("{run}: {:?}\n{}", run.outcome, run.stderr).into()),
                _ => {}
            }
        }
        self.time += begun.elapsed();
        Ok(())
    }
}
