// What is read, in one place: whoever shows some of it is told when it changes.

export const store = {
  answer: null, // what was read of what lies on the field
  chosen: 0, // the digit that the network shows
  offered: false, // whether people are asked which one it is
  kept: null, // the name of the picture that was kept of it
  stale: false, // whether the answer belongs to what lay there before
  final: true, // whether the pen is lifted
};

const watchers = [];

export const watchStore = (watcher) => watchers.push(watcher);

export function update(changes) {
  Object.assign(store, changes);
  watchers.forEach((watcher) => watcher(changes));
}

/** The digit that the network shows, or undefined. */
export const chosenDigit = () => store.answer?.boxes[store.chosen];
