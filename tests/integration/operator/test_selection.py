"""Which namespaces are isolated: whatever comes first, and however names, labels and exclusions change."""

from __future__ import annotations

import pytest

from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from tests.support.operator import SYSTEM, Operator
from tests.support.stage import Stage, standard

pytestmark = pytest.mark.usefixtures("operator")


async def test_a_namespace_that_comes_after_its_isolation_is_isolated(stage: Stage) -> None:
    """The resource is first, the namespace later; it gets the policies whole, and the status counts it."""
    isolation = await stage.isolation({"namespaces": {"names": [f"{stage.name}-ns"]}})
    await stage.converged(isolation, matched=0)
    namespace = await stage.namespace()
    await stage.until_exact(namespace, isolation)
    await stage.converged(isolation, matched=1)


async def test_namespaces_that_are_there_already_are_isolated(stage: Stage) -> None:
    """The namespaces are first, the resource later."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(3)]
    isolation = await stage.isolation({"namespaces": {"names": namespaces}})
    for namespace in namespaces:
        await stage.until_exact(namespace, isolation)
    await stage.converged(isolation, matched=3)


async def test_a_label_added_changed_and_removed(stage: Stage) -> None:
    """A namespace is isolated while its label fits, moves to another isolation with it, and is free without."""
    red, blue = f"{stage.name}-red", f"{stage.name}-blue"
    for name, colour in ((red, "red"), (blue, "blue")):
        await stage.isolation({"namespaces": {"selector": {"matchLabels": {stage.name: colour}}}}, name=name)
    namespace = await stage.namespace()
    await stage.barrier()
    assert await stage.policies_in(namespace) == {}
    await stage.label(namespace, **{stage.name: "red"})
    await stage.until_exact(namespace, red)
    await stage.label(namespace, **{stage.name: "blue"})
    await stage.until_exact(namespace, blue)
    await stage.converged(red, matched=0)
    await stage.converged(blue, matched=1)
    await stage.label(namespace, **{stage.name: None})
    await stage.until_policies(namespace, ())
    status = await stage.converged(blue, matched=0)
    assert status["drift"]["corrected"] == 0


async def test_names_and_selector_both_have_to_match(stage: Stage) -> None:
    """Of three namespaces only the one with the right name and the right label is isolated."""
    both = await stage.namespace("a-both", labels={stage.name: "yes"})
    others = [
        await stage.namespace("a-name-only"),
        await stage.namespace("b-label-only", labels={stage.name: "yes"}),
    ]
    spec = {"names": [f"{stage.name}-a-*"], "selector": {"matchLabels": {stage.name: "yes"}}}
    isolation = await stage.isolation({"namespaces": spec})
    await stage.until_policies(both, standard(isolation))
    await stage.converged(isolation, matched=1)
    assert [await stage.policies_in(namespace) for namespace in others] == [{}, {}]


async def test_globs(stage: Stage) -> None:
    """`*` stands for any characters, also none, and `?` for exactly one."""
    spec = {"names": [f"{stage.name}-shop-*", f"{stage.name}-team-?"]}
    isolation = await stage.isolation({"namespaces": spec})
    inside = [await stage.namespace(suffix) for suffix in ("shop-eu", "shop-eu-2", "team-a")]
    outside = [await stage.namespace(suffix) for suffix in ("shop", "team-ab", "team")]
    for namespace in inside:
        await stage.until_policies(namespace, standard(isolation))
    await stage.barrier()
    assert [await stage.policies_in(namespace) for namespace in outside] == [{}, {}, {}]
    await stage.converged(isolation, matched=3)


async def test_match_expressions(stage: Stage) -> None:
    """A selector of expressions alone selects as everywhere in Kubernetes."""
    expressions = [
        {"key": stage.name, "operator": "In", "values": ["a", "b"]},
        {"key": f"{stage.name}-out", "operator": "DoesNotExist"},
    ]
    isolation = await stage.isolation({"namespaces": {"selector": {"matchExpressions": expressions}}})
    namespace = await stage.namespace("in", labels={stage.name: "b"})
    await stage.namespace("other-value", labels={stage.name: "c"})
    out = await stage.namespace("out", labels={stage.name: "a", f"{stage.name}-out": ""})
    await stage.until_policies(namespace, standard(isolation))
    await stage.label(out, **{f"{stage.name}-out": None})
    await stage.until_policies(out, standard(isolation))
    await stage.converged(isolation, matched=2)


async def test_excluded_namespaces_are_left_out(stage: Stage) -> None:
    """Names, globs and labels exclude; a namespace that becomes excluded loses its policies."""
    exclude = {
        "names": [f"{stage.name}-sandbox", f"{stage.name}-tmp-*"],
        "selector": {"matchLabels": {f"{stage.name}-free": "yes"}},
    }
    spec = {"names": [f"{stage.name}-*"], "selector": {"matchLabels": {stage.name: ""}}, "exclude": exclude}
    isolation = await stage.isolation({"namespaces": spec})
    mine = {stage.name: ""}
    excluded = [await stage.namespace(suffix, labels=mine) for suffix in ("sandbox", "tmp-1")]
    excluded.append(await stage.namespace("labelled", labels={**mine, f"{stage.name}-free": "yes"}))
    namespace = await stage.namespace("in", labels=mine)
    await stage.until_policies(namespace, standard(isolation))
    await stage.converged(isolation, matched=1)
    assert [await stage.policies_in(each) for each in excluded] == [{}, {}, {}]
    await stage.label(namespace, **{f"{stage.name}-free": "yes"})
    await stage.until_policies(namespace, ())
    await stage.converged(isolation, matched=0)


async def test_an_edited_selection_cleans_what_it_leaves(stage: Stage) -> None:
    """When `names` moves to another namespace, the policies move with it."""
    old, new = await stage.namespace("old"), await stage.namespace("new")
    isolation = await stage.isolation({"namespaces": {"names": [old]}})
    await stage.until_policies(old, standard(isolation))
    await stage.edit(isolation, {"namespaces": {"names": [new]}})
    await stage.until_exact(new, isolation)
    await stage.until_policies(old, ())
    await stage.converged(isolation, matched=1)


async def test_protected_namespaces_are_selected_by_no_glob_and_no_label(stage: Stage) -> None:
    """kube-system and the operator's namespace match neither `*` with a label nor a selector."""
    protected = ("kube-system", "kube-public", "kube-node-lease", SYSTEM)
    namespace = await stage.namespace(labels={stage.name: ""})
    for each in protected:
        await stage.label(each, **{stage.name: ""})
    try:
        labelled = {"matchLabels": {stage.name: ""}}
        by_all = await stage.isolation({"namespaces": {"names": ["*"], "selector": labelled}})
        by_label = f"{stage.name}-by-label"
        await stage.isolation({"namespaces": {"selector": labelled}}, name=by_label)
        by_glob = f"{stage.name}-by-glob"
        await stage.isolation({"namespaces": {"names": ["kube-*", "nsiso-s*", namespace]}}, name=by_glob)
        await stage.until_policies(namespace, standard(by_all) | standard(by_label) | standard(by_glob))
        for isolation in (by_all, by_label, by_glob):
            await stage.converged(isolation, matched=1)
        await stage.barrier()
        assert [await stage.policies_in(each) for each in protected] == [{}, {}, {}, {}]
    finally:
        for each in protected:
            await stage.label(each, **{stage.name: None})


@pytest.mark.parametrize("protected", ["kube-system", SYSTEM])
async def test_a_protected_namespace_is_isolated_by_its_exact_name(stage: Stage, protected: str) -> None:
    """Who names it means it, also together with globs; once the resource is gone, so are the policies."""
    isolation = await stage.isolation({"namespaces": {"names": [f"{stage.name}-*", protected]}})
    await stage.until_exact(protected, isolation)
    await stage.converged(isolation, matched=1)
    await stage.delete_isolation(isolation)
    assert await stage.policies_in(protected) == {}


async def test_labels_that_select_nothing_cost_no_write(stage: Stage, operator: Operator) -> None:
    """A label that no isolation asks for changes no policy."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    async with stage.policies(namespace) as watch:
        await stage.admin.patch(f"{NAMESPACES_PATH}/{namespace}", {"metadata": {"labels": {"some": "label"}}})
        await stage.barrier()
        assert watch.kinds() == []
