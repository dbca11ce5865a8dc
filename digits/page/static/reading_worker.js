// Reads photos on a thread of its own. The first message brings {detector, network}, the bytes of
// both; each other one is a question, {number, picture}. Answers are {number, share}, how much is
// done, and at last {number, answer}.

import { readPage } from "./detector_deciding.js";
import { openDetector } from "./detector_network.js";
import { pageOf } from "./grey.js";
import { readNetwork } from "./network.js";

let detector, model;

onmessage = ({ data: { number, picture, ...bytes } }) => {
  if (!picture) {
    detector = openDetector(bytes.detector);
    model = readNetwork(bytes.network);
    return;
  }
  const page = pageOf(picture, detector.settings);
  const answer = readPage(page, detector, (image) => model.run(image), (share) => postMessage({ number, share }));
  const { width, height } = page;
  postMessage({ number, answer: { width, height, ...answer } });
};
