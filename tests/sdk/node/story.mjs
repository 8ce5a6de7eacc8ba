// Buy, protect with a stop, sell: told by the npm SDK, @alpacahq/alpaca-trade-api.
//
// The broker's ready line is in BROKER. Prints what it saw as one JSON object.

import { Alpaca } from "@alpacahq/alpaca-trade-api";

const broker = JSON.parse(process.env.BROKER);
const SECONDS_MAX = 20;
const heard = {};
const bars = [];

// The SDK knows its hosts by name; a fetch of our own sends its requests to the simulated broker instead.
const here = (address, init) => {
  const asked = new URL(address);
  return fetch(new URL(asked.pathname + asked.search, broker.rest), init);
};

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Let minutes pass at the broker.
async function step(count = 1) {
  const headers = { Authorization: `Bearer ${broker.control_token}` };
  await fetch(`${broker.control}/step?count=${count}`, { method: "POST", headers });
}

async function waitFor(what, happened) {
  const deadline = Date.now() + SECONDS_MAX * 1000;
  while (!(await happened())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen; heard ${JSON.stringify(heard)}`);
    await pause(20);
  }
}

async function refusalOf(call) {
  try {
    await call();
  } catch (error) {
    return error.code;
  }
  throw new Error("nothing was refused");
}

const alpaca = new Alpaca({ keyId: broker.key, secret: broker.secret, fetchApi: here });
const orders = alpaca.trading.orders;

const updates = alpaca.trading.stream({ url: broker.trading_stream });
updates.onTradeUpdate((update) => {
  const name = update.order.clientOrderId;
  heard[name] = [...(heard[name] ?? []), update.event];
});
updates.onConnect(() => updates.subscribeTradeUpdates());
updates.connect();

const minutes = alpaca.marketData.stockStream({ url: broker.data_stream });
minutes.onBar((bar) => bars.push(bar));
minutes.onConnect(() => minutes.subscribeForBars(["AAA"]));
minutes.connect();

// The SDK does not say when it listens: try until the stream speaks.
async function probe() {
  for (let number = 0; Object.keys(heard).length === 0; number += 1) {
    if (number === 200) throw new Error("the trade updates are silent");
    const order = await orders.limit({
      symbol: "BBB",
      qty: 1,
      side: "buy",
      limitPrice: 1,
      clientOrderId: `probe-${number}`,
    });
    await orders.deleteOrderByOrderID({ orderId: order.id });
    await pause(100);
  }
}

await step(2); // The opening and the first minute: before it nothing has a price.
await probe();
const account = await alpaca.trading.account.getAccount();
await orders.market({ symbol: "AAA", qty: 10, side: "buy", clientOrderId: "buy" });
await step();
await waitFor("the purchase", () => heard.buy?.includes("fill"));
await waitFor("a bar", () => bars.length > 0);
const position = await alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: "AAA" });
const stop = await orders.stop({
  symbol: "AAA",
  qty: 10,
  side: "sell",
  stopPrice: 50,
  timeInForce: "gtc",
  clientOrderId: "stop",
});
const working = await orders.getAllOrders({ status: "open" });
const refused = await refusalOf(() => orders.market({ symbol: "AAA", qty: 10, side: "sell" }));
await orders.deleteOrderByOrderID({ orderId: stop.id });
await waitFor("the cancellation", () => heard.stop?.includes("canceled"));
await orders.market({ symbol: "AAA", qty: 10, side: "sell", clientOrderId: "sell" });
await step();
await waitFor("the sale", () => heard.sell?.includes("fill"));
const history = await alpaca.marketData.getStockBarsFor("AAA", { timeframe: "1Min" });
const closes = history.slice(-2).map((bar) => bar.close);
const left = await alpaca.trading.positions.getAllOpenPositions();
const clock = await alpaca.trading.clock.legacyClock();

console.log(
  JSON.stringify({
    account: [account.status, Number(account.cash)],
    position: Number(position.qty),
    working: working.map((order) => order.clientOrderId),
    refused,
    heard: { buy: heard.buy, stop: heard.stop, sell: heard.sell },
    left: left.length,
    bars_are_the_stream_s: closes.includes(bars.at(-1).close),
    open: clock.isOpen,
  }),
);
updates.disconnect();
minutes.disconnect();
process.exit(0);
