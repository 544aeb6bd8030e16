import { comeBack, goAway } from "./lifecycle.ts";
import { between, pick, type Random, waitOf } from "./random.ts";
import { endTransaction, fault, isFree, isFull, plugIn, presentToken, recover, someVehicle, unplug } from "./session.ts";
import type { Charger, ChargerEvent, Connector, ErrorCode } from "./state.ts";
import type { Cancel } from "./time.ts";

/** The id tokens that drivers have in their pockets, each in one place at a time. */
export interface Pockets {
  readonly free: string[];
}

/** What happens at one charger: drivers come and go, and now and then something breaks. */
export interface Life {
  readonly charger: Charger;
  readonly random: Random;
  readonly pockets: Pockets;
  readonly bays: readonly Bay[];
  nextIncident: Cancel | undefined;
  ended: boolean;
}

/** Where one vehicle stands at a time. */
interface Bay {
  readonly connector: Connector;
  /** The token of the driver who is here, if one of ours is. */
  idTag: string | undefined;
  /** Calls off what is to happen here next. */
  next: Cancel | undefined;
}

// In seconds of the vehicles' time, which `speed` makes shorter.
const FIRST_ARRIVAL = { from: 30, to: 360 };
const ARRIVAL_MEAN = 900;
const WALK_TO_READER = { from: 5, to: 30 };
const STAY = { from: 600, to: 3_600 };
const LOOK_AGAIN = 60;
const UNPLUG = { from: 30, to: 120 };
const INCIDENT_MEAN = 7_200;
const REPAIR = { from: 120, to: 600 };
const OUTAGE = { from: 120, to: 900 };

const FAULTS: readonly ErrorCode[] = [
  "GroundFailure",
  "OverCurrentFailure",
  "HighTemperature",
  "ConnectorLockFailure",
  "PowerSwitchFailure",
];
/** How a stay ends. Vehicles that fill up stay until they are full. */
const ENDINGS = ["local", "local", "vehicle", "full"] as const;

/** Nothing happens yet; `begin` is told when the charger has booted. */
export function makeLife(charger: Charger, random: Random, pockets: Pockets): Life {
  const bays = charger.connectors.map((connector) => ({ connector, idTag: undefined, next: undefined }));
  return { charger, random, pockets, bays, nextIncident: undefined, ended: false };
}

/** Reacts to what happens to the charger: life begins when it boots, a driver goes when the transaction is over. */
export function follow(life: Life, event: ChargerEvent): void {
  if (life.ended) return;
  if (event.type === "booted" && event.status === "Accepted" && life.nextIncident === undefined) begin(life);
  if (event.type === "started") {
    const bay = bayOf(life, event.transaction.connectorId);
    // One that the CSMS started: its driver behaves as ours do, and one of ours who was about to has to wait.
    if (bay !== undefined && bay.idTag !== event.transaction.idTag) then(life, bay, STAY, () => finish(life, bay));
  }
  if (event.type === "stopped") {
    const bay = bayOf(life, event.transaction.connectorId);
    if (bay !== undefined) then(life, bay, UNPLUG, () => leave(life, bay));
  }
}

/** Nothing more happens. What charges goes on charging. */
export function endLife(life: Life): void {
  life.ended = true;
  life.nextIncident?.();
  for (const bay of life.bays) bay.next?.();
}

function begin(life: Life): void {
  for (const bay of life.bays) then(life, bay, FIRST_ARRIVAL, () => arrive(life, bay));
  incidentLater(life);
}

function arriveLater(life: Life, bay: Bay): void {
  const seconds = waitOf(life.random, ARRIVAL_MEAN);
  then(life, bay, { from: seconds, to: seconds }, () => arrive(life, bay));
}

function arrive(life: Life, bay: Bay): void {
  const { charger, random, pockets } = life;
  const { connector } = bay;
  const [idTag] = isFree(connector) ? pockets.free.splice(Math.floor(random() * pockets.free.length), 1) : [];
  if (idTag === undefined) {
    arriveLater(life, bay);
    return;
  }
  bay.idTag = idTag;
  plugIn(charger, connector, someVehicle(charger));
  then(life, bay, WALK_TO_READER, () =>
    presentToken(charger, connector, idTag, (transaction) => {
      if (life.ended) return;
      if (transaction === undefined) then(life, bay, UNPLUG, () => leave(life, bay));
      else if (transaction.stop === undefined) then(life, bay, STAY, () => finish(life, bay));
    }),
  );
}

function finish(life: Life, bay: Bay): void {
  const { charger, random } = life;
  switch (pick(random, ENDINGS)) {
    case "local":
      endTransaction(charger, bay.connector, "Local", bay.idTag);
      break;
    case "vehicle":
      unplug(charger, bay.connector);
      break;
    case "full":
      finishWhenFull(life, bay);
  }
}

function finishWhenFull(life: Life, bay: Bay): void {
  if (isFull(life.charger, bay.connector)) endTransaction(life.charger, bay.connector, "Local", bay.idTag);
  else then(life, bay, { from: LOOK_AGAIN, to: LOOK_AGAIN }, () => finishWhenFull(life, bay));
}

function leave(life: Life, bay: Bay): void {
  unplug(life.charger, bay.connector);
  if (bay.idTag !== undefined) life.pockets.free.push(bay.idTag);
  bay.idTag = undefined;
  arriveLater(life, bay);
}

function incidentLater(life: Life): void {
  life.nextIncident = life.charger.time.after(ms(life, waitOf(life.random, INCIDENT_MEAN)), () => incident(life));
}

/** A connector breaks, or the connection. */
function incident(life: Life): void {
  const { charger, random } = life;
  const [bay, repair] = random() < 0.5 ? [pick(random, life.bays), REPAIR] : [undefined, OUTAGE];
  if (bay === undefined) goAway(charger);
  else fault(charger, bay.connector, pick(random, FAULTS));
  life.nextIncident = charger.time.after(ms(life, between(random, repair.from, repair.to)), () => {
    if (bay === undefined) comeBack(charger);
    else recover(charger, bay.connector);
    incidentLater(life);
  });
}

/** What was to happen next in this bay gives way to this. */
function then(life: Life, bay: Bay, seconds: { readonly from: number; readonly to: number }, run: () => void): void {
  bay.next?.();
  bay.next = life.charger.time.after(ms(life, between(life.random, seconds.from, seconds.to)), run);
}

function ms({ charger: { speed } }: Life, seconds: number): number {
  return (seconds * 1000) / speed;
}

function bayOf(life: Life, connectorId: number): Bay | undefined {
  return life.bays[connectorId - 1];
}
