//! Strategies for everything a message is made of, within the limits.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;

use bytes::Bytes;
use chordal_object::{Arc, Bits, ChunkId, ChunkList, Content, File, Key, Name, NodeId};
use chordal_object::{Record, Version};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::certificate::TokenView;
use crate::history::History;
use crate::limits::{
    CANDIDATES_MAX, KNOWN_POINTERS_MAX, LIST_ROWS_MAX, SUCCESSORS_MAX, TOKENS_MAX,
};
use crate::member::{Member, Standing, Token};
use crate::message::{
    ArcCompared, AskReferences, AskRing, Care, ChunkOffered, Closer, CompareArc, Confirm, Envelope,
    GetState, JoinRefusal, Kind, KnownPointers, List, Listed, Message, NodePointers, NodeStatus,
    OfferChunk, OwnerFound, ReadRecord, Reconcile, Reconciled, RecordRead, References, RingInfo,
    Row, Rumour, Silent, Stored, TableTags, TokenPointers, TokenState, Via, Word, WriteRecord,
};
use crate::settings::{Profile, Settings};
use crate::view::View;

/// One strategy for each variant of [`Message`].
pub(super) fn messages() -> Vec<BoxedStrategy<Message>> {
    let mut all = ring_messages();
    all.extend(record_messages());
    all.extend(replica_messages());
    all.extend(whole_ring_messages());
    all
}

/// An envelope around any message.
pub(crate) fn envelope() -> impl Strategy<Value = Envelope> {
    let message = proptest::strategy::Union::new(messages());
    (any::<u64>(), any::<u64>(), message).prop_map(|(request, incarnation, message)| Envelope {
        request,
        incarnation,
        message,
    })
}

fn ring_messages() -> Vec<BoxedStrategy<Message>> {
    vec![
        Just(Message::Ping).boxed(),
        Just(Message::Pong).boxed(),
        Just(Message::Pause).boxed(),
        (member(), settings())
            .prop_map(|(member, settings)| Message::AskRing(AskRing { member, settings }))
            .boxed(),
        ring_info().prop_map(Message::RingInfo).boxed(),
        (any::<u64>(), 0..=u8::try_from(TOKENS_MAX).unwrap())
            .prop_map(|(offered_bytes, tokens)| Message::AskPlaces {
                offered_bytes,
                tokens,
            })
            .boxed(),
        vec(any::<u8>(), 0..=TOKENS_MAX)
            .prop_map(Message::Places)
            .boxed(),
        get_state().prop_map(Message::GetState).boxed(),
        any::<u64>().prop_map(Message::StateKnown).boxed(),
        (node(), option::of((any::<u64>(), key())))
            .prop_map(|(node, rumour)| {
                let rumour = rumour.map(|(incarnation, until)| Rumour { incarnation, until });
                Message::Silent(Silent { node, rumour })
            })
            .boxed(),
        state().prop_map(Message::State).boxed(),
        key().prop_map(Message::NoToken).boxed(),
        key().prop_map(Message::PointersChanged).boxed(),
        (token(), key())
            .prop_map(|(of, to)| Message::Notify { of, to })
            .boxed(),
        (key(), option::of(any::<u64>()))
            .prop_map(|(key, table)| Message::FindOwner { key, table })
            .boxed(),
        owner().prop_map(Message::Owner).boxed(),
        closer().prop_map(Message::Closer).boxed(),
        (members(), key())
            .prop_map(|(members, until)| Message::Spread { members, until })
            .boxed(),
        (any::<u64>(), any::<bool>())
            .prop_map(|(digest, disagreed)| Message::TableDigest { digest, disagreed })
            .boxed(),
        (0..=9u32)
            .prop_flat_map(|log| vec(any::<u32>(), 1 << log))
            .prop_map(Message::TableParts)
            .boxed(),
        table_tags().prop_map(Message::TableTags).boxed(),
        (members(), any::<bool>(), vec(any::<u64>(), 0..5))
            .prop_map(|(members, want_yours, want)| Message::Table {
                members,
                want_yours,
                want,
            })
            .boxed(),
    ]
}

fn record_messages() -> Vec<BoxedStrategy<Message>> {
    let read = (
        name(),
        option::of(view()),
        any::<bool>(),
        option::of(version()),
    )
        .prop_map(|(name, view, head, promise)| ReadRecord {
            name,
            view,
            head,
            promise,
        });
    let held = option::of(prop_oneof![record(), record_without_content()]);
    let answer = prop_oneof![
        4 => (held, any::<bool>(), option::of(version()))
            .prop_map(|(record, counts, promised)| RecordRead::Held { record, counts, promised }),
        1 => version().prop_map(RecordRead::Promised),
        1 => Just(RecordRead::WrongView),
        1 => Just(RecordRead::Failed),
    ];
    let write = (record(), option::of(view()), any::<bool>()).prop_map(|(record, view, exact)| {
        WriteRecord {
            record,
            view,
            exact,
        }
    });
    let stored = prop_oneof![
        (version(), any::<bool>()).prop_map(|(newest, counts)| Stored::Durable { newest, counts }),
        Just(Stored::WrongView),
        version().prop_map(Stored::Promised),
        any::<u64>().prop_map(|free| Stored::Full { free }),
        Just(Stored::Failed),
    ];
    let offer = (chunk(), any::<u32>(), option::of(view()))
        .prop_map(|(chunk, bytes, view)| OfferChunk { chunk, bytes, view });
    let offered = prop_oneof![
        Just(ChunkOffered::Wanted),
        Just(ChunkOffered::Have),
        Just(ChunkOffered::WrongView),
        any::<u64>().prop_map(|free| ChunkOffered::Full { free }),
        Just(ChunkOffered::Failed),
    ];
    vec![
        read.prop_map(Message::ReadRecord).boxed(),
        answer.prop_map(Message::RecordRead).boxed(),
        write.prop_map(Message::WriteRecord).boxed(),
        stored.prop_map(Message::RecordWritten).boxed(),
        offer.prop_map(Message::OfferChunk).boxed(),
        offered.prop_map(Message::ChunkOffered).boxed(),
        vec(chunk(), 0..9).prop_map(Message::AskChunks).boxed(),
        vec(chunk(), 0..9).prop_map(Message::KeepChunks).boxed(),
        vec(chunk(), 0..9).prop_map(Message::Released).boxed(),
        (any::<u64>(), vec(chunk(), 0..9))
            .prop_map(|(table, chunks)| Message::AskReferences(AskReferences { table, chunks }))
            .boxed(),
        (any::<bool>(), vec(any::<bool>(), 0..9))
            .prop_map(|(steady, referenced)| Message::References(References { steady, referenced }))
            .boxed(),
        vec(any::<bool>(), 0..9)
            .prop_map(Message::ChunksHeld)
            .boxed(),
    ]
}

fn replica_messages() -> Vec<BoxedStrategy<Message>> {
    let kind = prop_oneof![Just(Kind::Records), Just(Kind::Chunks)];
    let reconcile =
        (arc(), kind, view(), payload()).prop_map(|(arc, kind, view, payload)| Reconcile {
            arc,
            kind,
            view,
            payload,
        });
    let reconciled = prop_oneof![
        4 => (payload(), word())
            .prop_map(|(payload, word)| Reconciled::Step { payload, word }),
        1 => Just(Reconciled::Failed),
    ];
    let confirm = prop_oneof![
        Just(Confirm::Held),
        Just(Confirm::WrongView),
        Just(Confirm::NotYet)
    ];
    vec![
        reconcile.prop_map(Message::Reconcile).boxed(),
        reconciled.prop_map(Message::Reconciled).boxed(),
        compare_arc().prop_map(Message::CompareArc).boxed(),
        arc_compared().prop_map(Message::ArcCompared).boxed(),
        vec((arc(), view()), 0..9)
            .prop_map(Message::AskCounts)
            .boxed(),
        vec(any::<bool>(), 0..9).prop_map(Message::Counts).boxed(),
        (arc(), vec(any::<[u8; 32]>(), 0..5))
            .prop_map(|(arc, digests)| Message::FetchRecords { arc, digests })
            .boxed(),
        vec(record(), 0..4).prop_map(Message::Records).boxed(),
        (arc(), view(), any::<u64>())
            .prop_map(|(arc, view, round)| Message::AskConfirm { arc, view, round })
            .boxed(),
        confirm.prop_map(Message::Confirm).boxed(),
    ]
}

fn whole_ring_messages() -> Vec<BoxedStrategy<Message>> {
    let limit = 0..=u32::try_from(LIST_ROWS_MAX).unwrap();
    let list = (space(), ".{0,9}", option::of(".{0,9}"), limit).prop_map(
        |(space, prefix, after, limit)| List {
            space,
            prefix,
            after,
            limit,
        },
    );
    let listed = (
        vec(row(), 0..6),
        any::<bool>(),
        vec(arc(), 0..4),
        any::<bool>(),
    )
        .prop_map(|(rows, more, complete, failed)| Listed {
            rows,
            more,
            complete,
            failed,
        });
    vec![
        list.prop_map(Message::List).boxed(),
        listed.prop_map(Message::Listed).boxed(),
        Just(Message::AskStatus).boxed(),
        status().prop_map(Message::Status).boxed(),
        Just(Message::AskPointers).boxed(),
        pointers().prop_map(Message::Pointers).boxed(),
    ]
}

fn ring_info() -> impl Strategy<Value = RingInfo> {
    let refusal = prop_oneof![
        Just(None),
        Just(Some(JoinRefusal::OtherSettings)),
        key().prop_map(|key| Some(JoinRefusal::PositionTaken(key))),
    ];
    (
        settings(),
        member(),
        option::of(member()),
        refusal,
        any::<bool>(),
    )
        .prop_map(|(settings, member, you, refusal, part)| RingInfo {
            settings,
            member,
            you,
            refusal,
            part,
        })
}

fn state() -> impl Strategy<Value = TokenState> {
    let successors = vec(token(), 0..=SUCCESSORS_MAX);
    (key(), token(), successors, members()).prop_map(|(token, predecessor, successors, members)| {
        TokenState {
            token,
            predecessor,
            successors,
            members,
        }
    })
}

fn get_state() -> impl Strategy<Value = GetState> {
    let known = (0..=64u8, any::<u64>()).prop_map(|(count, digest)| KnownPointers {
        count: NonZeroU8::new(count),
        digest,
    });
    (
        key(),
        option::of(any::<u64>()),
        vec(known, 0..=KNOWN_POINTERS_MAX),
    )
        .prop_map(|(token, table, known)| GetState {
            token,
            table,
            known,
        })
}

fn table_tags() -> impl Strategy<Value = TableTags> {
    (0..=9u32).prop_flat_map(|log| {
        let parts = 1u16 << log;
        let which = vec(0..parts, 0..usize::from(parts).min(5));
        (which, vec(any::<u64>(), 0..9)).prop_map(move |(which, tags)| TableTags {
            parts,
            which,
            tags,
        })
    })
}

fn compare_arc() -> impl Strategy<Value = CompareArc> {
    (arc(), view(), any::<[u8; 16]>()).prop_map(|(arc, view, digest)| CompareArc {
        arc,
        view,
        digest,
    })
}

fn arc_compared() -> impl Strategy<Value = ArcCompared> {
    prop_oneof![
        Just(ArcCompared::Failed),
        (any::<bool>(), word()).prop_map(|(same, word)| ArcCompared::Compared { same, word }),
    ]
}

fn word() -> impl Strategy<Value = Word> {
    let holders = prop::collection::btree_set(node(), 1..5);
    let holders = holders.prop_map(|nodes| nodes.into_iter().collect());
    (any::<bool>(), any::<bool>(), vec(holders, 0..4)).prop_map(|(agrees, based, passed)| Word {
        agrees,
        history: History { based, passed },
    })
}

fn owner() -> impl Strategy<Value = OwnerFound> {
    (token(), token(), vec(token(), 0..20), members()).prop_map(
        |(owner, predecessor, successors, members)| OwnerFound {
            owner,
            predecessor,
            successors,
            members,
        },
    )
}

fn closer() -> impl Strategy<Value = Closer> {
    let via = prop_oneof![
        Just(Via::Own),
        Just(Via::Table),
        (0..128u8).prop_map(Via::Finger),
        Just(Via::Successor),
        Just(Via::Predecessor),
    ];
    (vec((token(), via), 0..=CANDIDATES_MAX), members()).prop_map(|(candidates, members)| Closer {
        candidates,
        members,
    })
}

fn status() -> impl Strategy<Value = NodeStatus> {
    let pointers =
        (key(), token(), token()).prop_map(|(key, predecessor, successor)| TokenPointers {
            key,
            predecessor,
            successor,
        });
    let counts = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u32>());
    (
        member(),
        vec(pointers, 0..=TOKENS_MAX),
        counts,
        any::<u64>(),
        vec(node(), 0..5),
        (any::<u64>(), any::<u64>(), any::<u64>()),
    )
        .prop_map(|(member, tokens, counts, handing_off, suspects, care)| {
            let (round_ended_s, found, mended) = care;
            let (used_bytes, copies_wanted, copies_unreachable, arcs_incomplete) = counts;
            NodeStatus {
                member,
                tokens,
                used_bytes,
                copies_wanted,
                copies_unreachable,
                arcs_incomplete,
                handing_off,
                suspects,
                care: Care {
                    round_ended_s,
                    found,
                    mended,
                },
            }
        })
}

fn pointers() -> impl Strategy<Value = NodePointers> {
    let view = (token(), token(), vec(token(), 0..=SUCCESSORS_MAX)).prop_map(
        |(token, predecessor, successors)| TokenView {
            token,
            predecessor,
            successors,
        },
    );
    (vec(view, 0..=TOKENS_MAX), members())
        .prop_map(|(tokens, members)| NodePointers { tokens, members })
}

fn row() -> impl Strategy<Value = Row> {
    let file = option::of((any::<u64>(), any::<[u8; 32]>()));
    (name(), version(), any::<i64>(), file).prop_map(|(name, version, modified_ms, file)| Row {
        name,
        version,
        modified_ms,
        file,
    })
}

/// Positions of wide and of small rings.
pub(super) fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        4 => any::<u128>(),
        2 => 0..1024u128,
        1 => (0..128u32).prop_map(|bit| 1 << bit),
        1 => Just(u128::MAX),
    ]
    .prop_map(Key::new)
}

fn arc() -> impl Strategy<Value = Arc> {
    (key(), key()).prop_map(|(after, upto)| Arc::new(after, upto))
}

/// Mostly one of a few, so that tokens often name members.
fn node() -> impl Strategy<Value = NodeId> {
    prop_oneof![
        3 => (0..6u8).prop_map(|number| NodeId::new([number; 32])),
        1 => any::<[u8; 32]>().prop_map(NodeId::new),
    ]
}

fn token() -> impl Strategy<Value = Token> {
    (key(), node()).prop_map(|(key, node)| Token { key, node })
}

pub(super) fn member() -> impl Strategy<Value = Member> {
    let addr = (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from);
    let standing = prop_oneof![
        Just(Standing::Present),
        Just(Standing::Leaving),
        Just(Standing::Gone),
        Just(Standing::Left),
    ];
    let salts = vec(any::<u8>(), 0..=TOKENS_MAX);
    (node(), addr, any::<u64>(), standing, any::<u64>(), salts).prop_map(
        |(node, addr, incarnation, standing, offered_bytes, salts)| Member {
            node,
            addr,
            incarnation,
            standing,
            offered_bytes,
            salts,
        },
    )
}

pub(super) fn members() -> impl Strategy<Value = Vec<Member>> {
    vec(member(), 0..6)
}

fn settings() -> impl Strategy<Value = Settings> {
    let profile = prop_oneof![Just(Profile::Standard), Just(Profile::Classic)];
    (
        ".{0,20}",
        3..=128u8,
        profile,
        1..=255u8,
        1..=64u8,
        1..=4u32 << 20,
        0..=256u32 << 10,
    )
        .prop_map(
            |(ring_name, bits, profile, replicas, successors, chunk_bytes, inline_bytes)| {
                Settings {
                    ring_name,
                    bits: Bits::new(bits).unwrap(),
                    profile,
                    replicas,
                    successors,
                    chunk_bytes,
                    inline_bytes,
                }
            },
        )
}

fn view() -> impl Strategy<Value = View> {
    any::<u64>().prop_map(View)
}

fn chunk() -> impl Strategy<Value = ChunkId> {
    any::<[u8; 32]>().prop_map(ChunkId::new)
}

fn payload() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..64).prop_map(Bytes::from)
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![Just("main".to_owned()), "[a-z0-9]{3,12}"]
}

fn name() -> impl Strategy<Value = Name> {
    (space(), ".{1,40}").prop_map(|(space, path)| Name::new(&space, &path).unwrap())
}

fn version() -> impl Strategy<Value = Version> {
    (any::<u64>(), any::<u64>(), node()).prop_map(|(counter, incarnation, node)| Version {
        counter,
        incarnation,
        node,
    })
}

fn record() -> BoxedStrategy<Record> {
    let content = prop_oneof![
        vec(any::<u8>(), 0..64)
            .prop_map(|bytes| (bytes.len() as u64, Content::Inline(Bytes::from(bytes)))),
        chunks(),
    ];
    record_of(option::of(content))
}

/// As a holder answers when only the head was asked for.
fn record_without_content() -> BoxedStrategy<Record> {
    let content = (1..=256u64 << 10).prop_map(|size| Some((size, Content::Inline(Bytes::new()))));
    record_of(content)
}

fn record_of(
    content: impl Strategy<Value = Option<(u64, Content)>> + 'static,
) -> BoxedStrategy<Record> {
    let metadata = proptest::collection::btree_map(".{0,9}", ".{0,9}", 0..3);
    let rest = (any::<[u8; 32]>(), ".{0,20}", metadata);
    let told = (
        option::of(version()),
        option::of(version()),
        option::of(version()),
    );
    (name(), version(), any::<i64>(), content, rest, told)
        .prop_map(|(name, version, modified_ms, content, rest, told)| Record {
            name,
            version,
            modified_ms,
            file: content.map(|content| file(content, rest)),
            original: told.0,
            promised: told.1,
            replaced: told.2,
        })
        .boxed()
}

fn file(
    (size, content): (u64, Content),
    (hash, content_type, metadata): ([u8; 32], String, BTreeMap<String, String>),
) -> File {
    File {
        size,
        hash,
        content_type,
        metadata,
        content,
    }
}

fn chunks() -> impl Strategy<Value = (u64, Content)> {
    let ids = vec(chunk(), 1..5);
    (ids, 1..=1u32 << 20, 0..4u32, any::<u32>()).prop_map(|(ids, chunk_bytes, depth, last)| {
        let before = (ids.len() as u64 - 1) * u64::from(chunk_bytes);
        let size = before + 1 + u64::from(last % chunk_bytes);
        let list = ChunkList {
            chunk_bytes,
            depth,
            ids,
        };
        (size, Content::Chunks(list))
    })
}
